/** I3 and I4: whatever is killed or frozen when, what was acknowledged stands in the journal exactly once, in its producer's order. */
import { partitionOf } from '@hubbub/protocol'
import { problems, type Receipt } from '../harness/checker.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { inspect, type Inspector } from '../harness/inspector.js'
import { createProducer, overHttp, overSocket, type Producer } from '../harness/producer.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

const PARTITIONS = 4
const FAST = { HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000', HUBBUB_CONNECTION_EVENTS: 'none', HUBBUB_SYSTEM_PROJECT: 'none' }

let cluster: Cluster
let inspector: Inspector
let processors: Map<string, HubProcess>

/** A processor by a name that shows in the leases. */
async function enlist(name: string): Promise<void> {
  processors.set(name, await cluster.addProcessor({ env: { HUBBUB_NODE_ID: name } }))
}

/** The partition is owned by somebody else than the named ones; ms it took. */
async function moved(partition: number, ...from: string[]): Promise<number> {
  const since = Date.now()
  await eventually(
    async () => {
      const owner = await inspector.owner(partition)
      return owner !== null && !from.includes(owner)
    },
    `a new owner of partition ${partition}`,
    30_000,
  )
  return Date.now() - since
}

async function ownerOf(partition: number): Promise<string> {
  return await eventually(() => inspector.owner(partition), `an owner of partition ${partition}`)
}

/** Each entry names the one before it. */
function expectUnbroken(journal: { offset: string; previous: string }[]): void {
  expect(journal.filter(({ previous }, place) => place > 0 && previous !== journal[place - 1]!.offset)).toEqual([])
}

function expectAcknowledged(journal: Receipt[], producers: Producer[]): void {
  expect(problems(journal, producers.flatMap(({ acked }) => [...acked.keys()]))).toEqual([])
  const offsets = new Map(journal.map(({ id, offset }) => [id, offset]))
  for (const { acked } of producers) expect([...acked].filter(([id, offset]) => offsets.get(id) !== offset)).toEqual([])
}

describe('20,000 events from four producers', () => {
  const PROJECTS = ['default', 'north'] as const
  const LEG = 500

  beforeAll(async () => {
    cluster = await startCluster({
      workers: 2,
      processors: 0,
      partitions: PARTITIONS,
      redisArgs: ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      // A publish is given up before a dead processor's lease ends: the producers' repetitions meet what they repeat.
      env: { ...FAST, HUBBUB_LEASE_MS: '2000', HUBBUB_LEASE_RENEW_MS: '500', HUBBUB_PUBLISH_TIMEOUT_MS: '1500', HUBBUB_ACK_LOOKUP_MS: '500' },
    })
    inspector = await inspect(cluster.redis.url)
    processors = new Map()
    await Promise.all(['first', 'second', 'third'].map(enlist))
  }, 60_000)
  afterAll(async () => {
    inspector.close()
    await cluster.stop('kill')
  })

  test('stand in the journal once each, in order, though processors are killed and frozen and Redis is killed', async () => {
    const partitions = PROJECTS.map((project) => partitionOf(project, PARTITIONS))
    expect(new Set(partitions).size).toBe(PROJECTS.length)
    const [byHttp, bySocket] = cluster.workers as [HubProcess, HubProcess]
    const producers = await Promise.all(
      PROJECTS.map(async (project) => {
        const [agent, service] = [`agent-of-${project}`, `service-of-${project}`]
        const { socket } = await stockClient(bySocket.url, { token: token({ sub: agent, role: 'agent', project }) })
        return [
          createProducer({ name: agent, send: overSocket(socket) }),
          createProducer({ name: service, send: overHttp(() => byHttp.url, token({ sub: service, role: 'service', project })) }),
        ]
      }),
    )
    const all = producers.flat()
    const sinks = await Promise.all(PROJECTS.map((project, place) => stockClient(cluster.workers[place]!.url, { token: token({ project }), topics: ['task:*'] })))
    const acknowledged = () => all.reduce((sum, { acked }) => sum + acked.size, 0)

    const kill = async (place: number) => {
      const name = await ownerOf(partitions[place]!)
      await processors.get(name)!.kill('SIGKILL')
      await enlist(`${name}-again`)
    }
    const freeze = async (place: number) => {
      const name = await ownerOf(partitions[place]!)
      const processor = processors.get(name)!
      await processor.kill('SIGSTOP')
      await moved(partitions[place]!, name)
      // Woken in the middle of its successor's work, with what it had in hand.
      const begun = acknowledged()
      await eventually(() => acknowledged() > begun, 'a commit of the new owner', 20_000)
      await processor.kill('SIGCONT')
    }
    const crash = async () => {
      await cluster.redis.kill('SIGKILL')
      await cluster.redis.restart()
    }
    const faults = [
      () => kill(0), () => freeze(1), crash, () => freeze(0), () => kill(1), () => Promise.all([kill(0), freeze(1)]), () => freeze(0), () => kill(0), () => freeze(1), () => Promise.resolve(),
    ]

    for (const fault of faults) {
      const begun = acknowledged()
      const strike = async () => {
        await eventually(() => acknowledged() > begun + LEG / 2, 'the leg under way', 20_000)
        await fault()
      }
      await Promise.all([...all.map((producer) => producer.publish(LEG, 'one', 'two')), strike()])
    }
    expect(acknowledged()).toBe(20_000)
    // Some came to no answer and were published again: what was committed all the same was recognised.
    expect(all.reduce((sum, { repeats }) => sum + repeats, 0)).toBeGreaterThan(0)
    for (const [place, partition] of partitions.entries()) {
      const journal = await inspector.journal(partition)
      expectUnbroken(journal)
      expectAcknowledged(journal, producers[place]!)
      await expectDelivered(sinks[place]!, journal)
    }
  }, 180_000)

  async function expectDelivered(sink: Sink, journal: Receipt[]): Promise<void> {
    await sink.holds(journal.length)
    expect(problems(sink.receipts(), journal.map(({ id }) => id))).toEqual([])
    expect(sink.gaps).toEqual([])
  }
})

describe('with the lease as it ships, 10 s', () => {
  beforeAll(async () => {
    cluster = await startCluster({ workers: 1, processors: 0, partitions: PARTITIONS, env: FAST })
    inspector = await inspect(cluster.redis.url)
    processors = new Map()
    await Promise.all(['killed', 'frozen', 'left'].map(enlist))
  }, 60_000)
  afterAll(async () => {
    inspector.close()
    await cluster.stop('kill')
  })

  test('partitions move within 12 s of a SIGKILL and of a SIGSTOP, and the frozen one commits nothing when it wakes', async () => {
    const places = [...Array(PARTITIONS).keys()]
    await eventually(async () => new Set(await Promise.all(places.map((place) => inspector.owner(place)))).size === 3, 'shared partitions', 20_000)
    const owners = await Promise.all(places.map(ownerOf))
    const partition = owners.indexOf('frozen')
    const project = projectOf(partition)
    const coder = createProducer({ name: 'coder', send: overHttp(() => cluster.workers[0]!.url, token({ sub: 'coder', role: 'agent', project })) })
    await coder.publish(100, 'seven')
    const held = owners.filter((owner) => owner === 'frozen').length
    await eventually(async () => (await inspector.waitingReaders('frozen')) === held, 'a processor that waits for work')

    await processors.get('frozen')!.kill('SIGSTOP')
    await processors.get('killed')!.kill('SIGKILL')
    // Redis answers its waiting read with these: it wakes with a batch in hand.
    const inHand = coder.publish(100, 'seven')
    const waits = await Promise.all(places.map((place) => moved(place, 'frozen', 'killed')))
    expect(Math.max(...waits)).toBeLessThanOrEqual(12_000)
    await inHand

    const before = [await inspector.batches(partition), await inspector.journal(partition)]
    await processors.get('frozen')!.kill('SIGCONT')
    // Back in the ranks, whatever it had in hand is behind it: a lease is taken anew after the last commit under the old one.
    await eventually(async () => (await Promise.all(places.map(ownerOf))).includes('frozen'), 'partitions of the woken processor', 20_000)
    expect([await inspector.batches(partition), await inspector.journal(partition)]).toEqual(before)
    expectAcknowledged(await inspector.journal(partition), [coder])
  }, 90_000)

  function projectOf(partition: number): string {
    for (let number = 0; ; number++) if (partitionOf(`project-${number}`, PARTITIONS) === partition) return `project-${number}`
  }
})
