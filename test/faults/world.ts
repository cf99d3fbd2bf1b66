/**
 * A hub cluster on one machine: real processes, and every way between two parts leads through a proxy of its own. A *post* is the place of a
 * process: whoever holds it may be killed and replaced. A *door* is the way of one client to the workers, as a balancer has it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHub, type HubProcess } from '../harness/hub.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { openBalancer, type Balancer } from './balancer.js'
import { PARTITIONS } from './events.js'
import { startStore, type Store } from './store.js'

export interface Post {
  readonly name: string
  readonly role: 'worker' | 'processor'
  /** Its way to Redis; undefined where Redis is found by sentinels, whose addresses lead past any proxy. */
  readonly link?: Proxy
  /** Who holds it now; a dead one until it is replaced. */
  hub: HubProcess
  /** `ms` that its clock is wrong by; it is seen within a second. 0: right. */
  setClock(ms: number): Promise<void>
  /** Starts another process and puts it in place; rejects when it does not come up. Answers the former. */
  replace(): Promise<HubProcess>
}

export interface Door {
  readonly name: string
  readonly proxy: Proxy
  readonly url: string
  /** Name of the worker to which new connections go. */
  leadsTo: string
}

export interface World {
  readonly store: Store
  readonly posts: readonly Post[]
  readonly doors: readonly Door[]
  /** The last of those who were replaced, newest last: what they wrote may say why something went wrong. */
  readonly former: readonly { name: string; hub: HubProcess }[]
  openDoor(name: string): Promise<Door>
  posted(role: Post['role']): Post[]
  stop(): Promise<void>
}

export interface WorldOptions {
  workers?: number
  processors?: number
  /** Path of libfaketime; absent: all clocks are right, and no fault may touch them. */
  faketime?: string
  /** One server of Redis, unless told otherwise. */
  store?: () => Promise<Store>
  env?: Record<string, string>
}

/** Everything that a client or a process waits for comes within seconds, so that many faults fit into an hour. */
const BRISK: Record<string, string> = {
  HUBBUB_PARTITIONS: String(PARTITIONS),
  HUBBUB_MESSAGE_RATE: '1000000', HUBBUB_MESSAGE_BURST: '1000000', HUBBUB_FAMILY_RATES: '*=1000000',
  HUBBUB_LEASE_MS: '2000', HUBBUB_LEASE_RENEW_MS: '500', HUBBUB_WORKER_MS: '3000', HUBBUB_VITALS_MS: '1000',
  HUBBUB_PUBLISH_TIMEOUT_MS: '5000', HUBBUB_ACK_LOOKUP_MS: '500',
  HUBBUB_PING_INTERVAL_MS: '2000', HUBBUB_PING_TIMEOUT_MS: '3000', HUBBUB_WS_PING_MS: '2000', HUBBUB_WS_SILENCE_MS: '8000', HUBBUB_SSE_HEARTBEAT_MS: '2000',
  HUBBUB_DRAIN_MS: '2000', HUBBUB_CONNECTION_EVENTS: 'none',
  // Longer than any fault, and short enough that Redis is back soon when it has to read all of it again.
  HUBBUB_RETENTION_MS: '90000', HUBBUB_RETENTION_COUNT: '20000', HUBBUB_SEEN_MS: '120000', HUBBUB_SEEN_COUNT: '150000',
}

const FORMER = 24

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { workers = 3, processors = 2 } = options
  const folder = await mkdtemp(join(tmpdir(), 'hubbub-faults-'))
  const store = await (options.store ?? startStore)()
  const posts: Post[] = []
  const doors: Door[] = []
  const former: World['former'][number][] = []
  let balancer: Balancer | undefined
  const world: World = {
    store,
    posts,
    doors,
    former,
    posted: (role) => posts.filter((post) => post.role === role),
    async openDoor(name) {
      const worker = world.posted('worker')[doors.length % workers]!
      const proxy = await startProxy({ port: worker.hub.port })
      const door = { name, proxy, url: `http://127.0.0.1:${proxy.port}`, leadsTo: worker.name }
      doors.push(door)
      return door
    },
    async stop() {
      balancer?.close()
      await Promise.all([...posts, ...former].map(({ hub }) => hub.kill('SIGKILL')))
      await Promise.all([...doors.map(({ proxy }) => proxy), ...posts.flatMap(({ link }) => link ?? [])].map((proxy) => proxy.close()))
      await store.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  const names = [...Array.from({ length: processors }, (_, at) => `processor-${at + 1}`), ...Array.from({ length: workers }, (_, at) => `worker-${at + 1}`)]
  try {
    posts.push(...(await Promise.all(names.map((name) => man(name, { ...options, store, folder, former })))))
  } catch (error) {
    await world.stop()
    throw error
  }
  balancer = openBalancer(world.posted('worker'), doors)
  return world
}

interface Manning extends Omit<WorldOptions, 'store'> {
  store: Store
  folder: string
  former: World['former'][number][]
}

async function man(name: string, { store, folder, former, faketime, env }: Manning): Promise<Post> {
  const role = name.startsWith('worker') ? 'worker' : 'processor'
  const link = store.isAlone ? await startProxy({ port: Number(new URL(store.url()).port) }) : undefined
  const clock = join(folder, `clock-${name}`)
  await writeFile(clock, '+0')
  const faked: Record<string, string> = faketime
    ? { LD_PRELOAD: faketime, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_CACHE_DURATION: '1' }
    : {}
  const start = () => startHub({ role, redis: store.hubUrl(link?.port ?? 0), env: { ...BRISK, ...env, ...faked } })
  const post: Post = {
    name,
    role,
    link,
    hub: await start(),
    setClock: (ms) => writeFile(clock, ms < 0 ? `${ms / 1000}` : `+${ms / 1000}`),
    async replace() {
      const next = await start()
      const before = post.hub
      post.hub = next
      former.push({ name, hub: before })
      if (former.length > FORMER) former.shift()
      return before
    },
  }
  return post
}
