/**
 * Two projects, the same ids everywhere (I6): nothing that is one's can be received, replayed, read, counted or guessed by the
 * other. What a client was told is searched packet by packet for the other's name and mark.
 */
import { ask, type Told } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { wasTold, type Tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { openRaw, type RawRedis } from './rawRedis.js'
import { CROWD, crowd, PARTITIONS, progress, projectNames, secretOf, settle, type Tenant } from './tenants.js'

const [even, odd] = projectNames(3)
const PAIRS: [string, string, string][] = [
  ['in the same partition', even[0]!, even[1]!],
  ['in different partitions', even[2]!, odd[0]!],
]
/** A project that nobody ever used, as long as the others' names. */
const NOWHERE = odd[1]!

let cluster: Cluster
let raw: RawRedis

beforeAll(async () => {
  const secrets = PAIRS.flatMap(([, left, right]) => [left, right]).map((project) => `${project}=${secretOf(project)}`)
  cluster = await startCluster({ workers: 2, processors: 1, partitions: PARTITIONS, env: { HUBBUB_GITHUB_SECRET: secrets.join(','), HUBBUB_LOG_LEVEL: 'error', HUBBUB_CONNECTION_EVENTS: 'none' } })
  await cluster.addWorker({ env: { HUBBUB_MESSAGE_RATE: '1', HUBBUB_MESSAGE_BURST: '5' } })
  raw = await openRaw(cluster.redis.url)
}, 60_000)
afterAll(async () => {
  raw?.close()
  await cluster?.stop()
}, 60_000)

describe.each(PAIRS)('two projects %s', (_where, leftName, rightName) => {
  let left: Tenant
  let right: Tenant
  beforeAll(async () => {
    left = await settle(leftName, cluster)
    right = await settle(rightName, cluster)
  })
  afterAll(() => {
    for (const client of [...left.everybody, ...right.everybody]) client.close()
  })

  const sides = (): [Tenant, Tenant][] => [[left, right], [right, left]]
  const mentions = (text: string, { project, mark }: Tenant) => text.includes(project) || text.includes(mark)
  /** What was on its way when the first word was heard has arrived when the second one is. */
  const quiet = async (name: string) => {
    for (const word of [`${name}-1`, `${name}-2`]) await Promise.all([left.say(word), right.say(word)])
  }
  const nobodyHeardOfTheOther = () => {
    for (const [own, other] of sides()) expect(own.everybody.filter((client) => wasTold(client, other.project) || wasTold(client, other.mark))).toEqual([])
  }

  test('publish under the same ids on every way in, and none is taken for the other\'s', async () => {
    for (const [own] of sides()) {
      const answers = await crowd(own, raw)
      expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true, true])
      expect(answers.filter((answer) => answer.ok && answer.duplicate)).toEqual([])
    }
  })

  test('each receives its own events, all and once, by topic, wildcard, filter and inbox', async () => {
    await quiet('live')
    for (const [own] of sides()) {
      const all = [...CROWD, 'live-1', 'live-2'].sort()
      expect(own.coder.ids().sort()).toEqual(all)
      expect(own.boss.ids().sort()).toEqual(all)
      // A wildcard does not include mail.
      expect(own.watcher.ids().sort()).toEqual(all.filter((id) => id !== 'of-the-inbox'))
      for (const { events } of own.everybody) for (const { event } of events) expect([event.project, JSON.stringify(event.data).includes(own.mark)]).toEqual([own.project, true])
    }
    nobodyHeardOfTheOther()
  })

  test('each replays its own, from everything, a time, a number, or the other\'s cursor', async () => {
    for (const [own, other] of sides()) {
      const late = await own.connect(0, 'late', 'admin')
      for (const topics of [['*'], ['task:1'], ['task:*', 'inbox:*'], ['repo:octo/hub'], ['inbox:coder'], ['agent:coder']]) {
        for (const since of ['all', '1h', { last: 1000 }, other.coder.events[0]!.cursor, other.coder.events.at(-1)!.cursor]) {
          const answer = await late.must<{ events: unknown[]; more: boolean }>('subscribe', { topics, since })
          expect([topics, since, mentions(JSON.stringify(answer), other), answer.more]).toEqual([topics, since, false, false])
          if (since === 'all') expect(answer.events.length).toBeGreaterThan(0)
          await late.must('unsubscribe', {})
        }
      }
      expect(wasTold(late, other.project) || wasTold(late, other.mark)).toBe(false)
      late.close()
    }
  })

  test('each reads its own history, whatever it asks for', async () => {
    for (const [own, other] of sides()) {
      const cursor = encodeURIComponent(other.coder.events[0]!.cursor)
      for (const query of ['topics=*', 'topics=task:1', 'topics=task:*,inbox:*,repo:*', 'topics=inbox:coder', 'topics=*&since=last:1000', 'topics=*&since=1h', `topics=*&since=${cursor}`, `topics=task:1&since=${cursor}`, 'topics=*&types=github.*', 'topics=task:1&filter.progress=40']) {
        const { status, text, body } = await own.ask(`/api/v1/history?limit=1000&${query}`)
        expect([query, status, mentions(text, other), body['more']]).toEqual([query, 200, false, false])
      }
      expect(((await own.ask('/api/v1/history?topics=*,inbox:*&limit=1000')).body['events'] as unknown[]).length).toBe(CROWD.length + 2)
    }
  })

  test('a signal to the same topic reaches its own project only', async () => {
    for (const [own] of sides()) await own.coder.must('signal', { topic: 'task:1', name: 'look', data: own.mark })
    for (const [own] of sides()) await own.coder.must('signal', { topic: 'agent:coder', name: 'look-again', data: own.mark })
    // One worker's signals travel in order: where the second is, the first of the other would have been.
    for (const [own] of sides()) for (const client of own.everybody) await eventually(() => client.packets.some((packet) => packet.includes('look-again')), 'the signal')
    await quiet('signalled')
    for (const [own] of sides()) expect(own.watcher.packets.filter((packet) => packet.startsWith('2["signal"')).length).toBe(2)
    nobodyHeardOfTheOther()
  })

  test('each counts its own connections, subscriptions, keys and dead letters', async () => {
    const counts = () => Promise.all([left, right].map((own) => Promise.all(['/api/v1/websocket/status', '/api/v1/status'].map((path) => own.ask(path)))))
    // Those of the tests before may still be on their way out.
    const [before] = await eventually(async () => {
      const found = await counts()
      return found.every(([connections]) => connections!.body['total'] === 1) && found
    }, 'one connection each')
    expect(before![0]!.body).toEqual({ ok: true, total: 1, active: 1 })
    const more = await Promise.all(Array.from({ length: 5 }, () => right.connect(0, 'coder', 'agent')))
    for (const client of more) expect(await client.must('subscribe', { topics: ['task:1'] })).toMatchObject({ activeSubscriptions: 1 })
    await raw.add(left.partition, 'workflows', { event: JSON.stringify(progress(left, 'dead', { project: leftName, type: 'no.such' })) })
    await raw.add(right.partition, 'workflows', { event: JSON.stringify(progress(right, 'dead', { project: rightName, type: 'no.such' })) })
    const [after, others] = await counts()
    expect([after![0]!.body, others![0]!.body]).toEqual([before![0]!.body, { ok: true, total: 6, active: 6 }])
    for (const { text } of after!) expect(mentions(text, right)).toBe(false)
    for (const [own, other] of sides()) {
      expect((await own.ask('/api/v1/keys', { json: { subject: 'coder', role: 'agent' } })).status).toBe(201)
      await eventually(async () => ((await own.ask('/api/v1/dead')).body['letters'] as unknown[]).length === 1, 'the dead letter')
      for (const path of ['/api/v1/dead', '/api/v1/keys']) expect([path, mentions((await own.ask(path)).text, other)]).toEqual([path, false])
      expect((await own.ask('/api/v1/keys')).body['keys']).toHaveLength(1)
    }
    for (const client of more) client.close()
  })

  test('metrics and health name no project and no event', async () => {
    for (const hub of [...cluster.workers, ...cluster.processors]) {
      for (const path of ['/metrics', '/health/ready', '/health/live']) {
        const { text } = await ask(hub.url + path)
        expect([path, /tenant|mark-of|octo|coder/.exec(text)]).toEqual([path, null])
      }
    }
  })

  test('errors about the other\'s things are those about things that do not exist', async () => {
    for (const [own, other] of sides()) {
      const [theirKey] = (await other.ask('/api/v1/keys')).body['keys'] as { id: string }[]
      const [theirLetter] = (await other.ask('/api/v1/dead')).body['letters'] as { partition: number; id: string }[]
      const theirs = await other.coder.must<{ subscriptionId: string }>('subscribe', { topics: ['task:errors'] })
      const asked = async (project: string, key: string, letter: string, subscriptionId: string) => [
        await own.ask(`/api/v1/history?topics=*&project=${project}`),
        await own.ask('/api/v1/history?topics=*', { headers: { 'x-hubbub-project': project } }),
        await own.ask('/api/v1/events', { json: progress(own, 'x', { project }) }),
        await own.ask('/api/v1/keys', { json: { subject: 'x', projects: [project] } }),
        await own.ask('/api/v1/keys', { json: { subject: 'x', projects: [own.project, project] } }),
        await own.ask(`/api/v1/keys/${key}`, { method: 'DELETE' }),
        await own.ask(`/api/v1/dead/${letter}`),
        await own.ask(`/api/v1/dead/${letter}`, { method: 'DELETE' }),
        await own.ask(`/api/v1/dead/${letter}/replay`, { method: 'POST' }),
        await own.ask(`/socket.io/?EIO=4&transport=polling&project=${project}&token=${own.tokenOf('x', 'admin')}`),
        await own.coder.call('publish', progress(own, 'x', { project })),
        await own.coder.call('subscribe', { topics: [`${project}/task:1`] }),
        await own.coder.call('signal', { topic: `${project}/task:1`, name: 'look' }),
        await own.coder.call('unsubscribe', { subscriptionId }),
        await refusalOf(own.connect(0, 'coder', 'agent', { project })),
      ].map((answer) => JSON.stringify(isTold(answer) ? [answer.status, answer.text] : answer).replaceAll(project, 'THAT').replaceAll(subscriptionId, 'THAT'))
      const ofOther = await asked(other.project, theirKey!.id, `${theirLetter!.partition}/${theirLetter!.id}`, theirs.subscriptionId)
      const ofNobody = await asked(NOWHERE, '0123456789abcdef', `${theirLetter!.partition}/1-0`, 'no-such-id-at-all')
      expect(ofOther).toEqual(ofNobody)
      expect(ofOther.filter((answer) => /"ok":true|^\[2/.test(answer) || mentions(answer, other))).toEqual([])
      // All of it is still there.
      expect((await other.ask('/api/v1/keys')).body['keys']).toMatchObject([{ id: theirKey!.id }])
      expect((await other.ask('/api/v1/dead')).body['letters']).toHaveLength(1)
    }
  })

  test('recovery with the other\'s session begins a new one, tells nothing, and leaves the session to its owner', async () => {
    for (const [own, other] of sides()) {
      const { pid, cursor } = sessionOf(other.coder)
      const both = token({ sub: 'coder', role: 'agent', projects: [own.project, other.project] })
      const thieves = [
        await own.connect(0, 'coder', 'agent', { pid, offset: cursor }),
        await own.connect(1, 'coder', 'agent', { pid, offset: other.coder.events[0]!.cursor }),
        await own.connect(1, 'coder', 'agent', { token: both, project: own.project, pid, offset: cursor }),
      ]
      for (const thief of thieves) {
        await thief.must('unsubscribe', {})
        expect(pidOf(thief)).not.toBe(pid)
        const told = thief.packets.map((packet) => /^(0|2\["hub\.cursor"|3)/.exec(packet)?.[0] ?? packet)
        expect(told).toEqual(['0', '2["hub.cursor"', '2["hub.cursor"', '3'])
        thief.close()
      }
      // Neither was it taken from its owner, nor is it lost to him.
      expect(other.coder.endings).toEqual([])
      const again = await other.connect(1, 'coder', 'agent', { pid, offset: cursor })
      expect(pidOf(again)).toBe(pid)
      again.close()
      await eventually(() => other.coder.endings.length === 1, 'the older holder to let go')
      other.coder = await other.connect(0, 'coder', 'agent')
      other.everybody[0] = other.coder
      await other.coder.must('subscribe', { topics: ['*'] })
    }
  })

  test('its own session with the other\'s cursor resumes among its own events, or says that it cannot', async () => {
    for (const [own, other] of sides()) {
      const { pid } = sessionOf(own.coder)
      const [, , third] = other.boss.events
      const returned = await own.connect(0, 'coder', 'agent', { pid, offset: third!.cursor })
      if (left.partition !== right.partition) {
        expect(pidOf(returned)).not.toBe(pid)
        await eventually(() => returned.packets.some((packet) => packet.startsWith('2["gap",') && packet.includes('"reason":"epoch"')), 'the gap')
        await returned.must('subscribe', { topics: ['*'] })
      } else expect(pidOf(returned)).toBe(pid)
      await own.boss.must('publish', progress(own, 'after-the-return'))
      await returned.hears('after-the-return')
      expect(wasTold(returned, other.project) || wasTold(returned, other.mark)).toBe(false)
      expect(returned.events.filter(({ event }) => event.project !== own.project)).toEqual([])
      returned.close()
    }
  })

  test('one that is over its rate does not slow the other of the same name', async () => {
    const strict = cluster.workers[2]!.url
    const asked = (own: Tenant) => ask(`${strict}/api/v1/websocket/status`, { as: own.tokenOf('busy', 'viewer') })
    const answers = await Promise.all(Array.from({ length: 20 }, () => asked(left)))
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(0)
    expect((await asked(right)).status).toBe(200)
  })

  test('revoking a subject of one leaves the other\'s of the same name', async () => {
    const [mine, theirs] = await Promise.all([left.connect(0, 'twin', 'agent'), right.connect(0, 'twin', 'agent')])
    expect((await left.ask('/api/v1/revocations', { json: { subject: 'twin' } })).status).toBe(201)
    await eventually(() => mine.endings.length === 1, 'the end of the revoked one', 5000)
    expect([mine.complaints.map(({ code }) => code), theirs.endings]).toEqual([['AUTH_REVOKED'], []])
    expect(await theirs.must('subscribe', { topics: ['task:1'] })).toMatchObject({ ok: true })
    theirs.close()
  })
})

const isTold = (answer: object): answer is Told => 'text' in answer

async function refusalOf(connecting: Promise<Tap>): Promise<object> {
  const { packets, refusals } = await connecting
  return { packets, refusals }
}

/** A session goes on where the hub answers with the id that was presented. */
function pidOf({ packets }: Tap): string {
  return (JSON.parse(packets.find((packet) => packet.startsWith('0{'))!.slice(1)) as { pid: string }).pid
}

/** What the client would come back with. */
function sessionOf(client: Tap): { pid: string; cursor: string } {
  const last = client.packets.findLast((packet) => /^2\["(?!hub\.error|signal)/.test(packet))!
  return { pid: pidOf(client), cursor: (JSON.parse(last.slice(1)) as unknown[]).at(-1) as string }
}
