/**
 * One stage for `bench:slow`: Redis, a processor, workers and a crowd, each a process. A window is the same whether sockets stop or not: what
 * fills the buffers of those that do, a calm moment, a steady stream to all that is measured, and the time until everybody has everything.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { partitionOf } from '@hubbub/protocol'
import { signToken } from '../../../server/dist/access/tokens.js'
import type { Store } from '../../../server/dist/store/port.js'
import type { HubLook, HubQuestion } from '../ground/meteredHub.js'
import { benchStore } from '../ground/store.js'
import { startChild, startRedis, type Child, type Redis } from '../ground/processes.js'
import { SECRET } from '../ground/token.js'
import type { CrowdLook, WindowFigures } from './crowd.js'
import { Author } from './events.js'

export interface SlowOptions {
  sockets: number
  stopped: number
  workers: number
  /** Events a second to every socket, and bytes of each one's message. */
  rate: number
  bytes: number
  /** Of a window. */
  seconds: number
}

export interface Window extends WindowFigures {
  isStopped: boolean
  /** Of one core, of the workers together. */
  workerCpu: number
  /** Bytes: what the workers hold at the end of the window, after a collection, those that stopped being stuck still. */
  held: number
  /** Bytes, the most that was seen in the window: of all workers together, and of one socket. */
  rss: number
  waitingMost: number
  waitingAll: number
  /** Bytes of the kernel's socket buffers, of the whole machine. */
  kernel: number
  /** What the reading ones got while the others caught up. */
  after?: CatchUpFigures
}

export interface CatchUpFigures extends WindowFigures {
  /** Until those that had stopped have everything. */
  seconds: number
  /** ms: the longest that a worker's event loop was kept from its turn. */
  workerLoop: number
}

const [TOPIC, HEAVY] = ['task:shared', 'task:heavy']
/** What fills the buffers: events of this size, so many at once. The kernel may hold several MB a socket. */
const FILL = { bytes: 16_000, events: 64, leastBytes: 8_000_000, mostBytes: 96_000_000, warmBytes: 48_000_000 }
const DEADLINE_MS = 120_000
const LEAST_S = 5

export class SlowStage {
  private filled = FILL.leastBytes
  private constructor(
    private readonly options: SlowOptions, private readonly redis: Redis, private readonly store: Store, private readonly author: Author,
    private readonly processor: Child, private readonly hubs: Child[], private readonly crowd: Child,
  ) {}

  static async open(options: SlowOptions): Promise<SlowStage> {
    const redis = await startRedis()
    const store = await benchStore(redis.url)
    // One that stops for longer than the ping timeout would be closed, and come back by its cursor: here the socket itself must be mended.
    const shared = { redisUrl: redis.url, jwtSecret: SECRET, connectRate: 0, pingTimeoutMs: 300_000 }
    const processor = await startChild('ground/hubProcess.js', { ...shared, role: 'processor' })
    const hubs = await Promise.all(Array.from({ length: options.workers }, () => startChild('ground/meteredHub.js', { ...shared, role: 'worker' })))
    const token = signToken(SECRET, { sub: 'bench', role: 'viewer' }, '2h')
    const crowd = await startChild('slow/crowd.js', { urls: hubs.map(({ ready }) => ready['url']), token, count: options.sockets, stoppable: options.stopped, topic: TOPIC, heavyTopic: HEAVY })
    return new SlowStage(options, redis, store, new Author(store, partitionOf('default', store.partitions)), processor, hubs, crowd)
  }

  /** What is late at first: compiled code, grown buffers, the window of recent entries that every worker holds. */
  async warmUp(): Promise<void> {
    for (let filled = 0; filled < FILL.warmBytes; filled += FILL.bytes * FILL.events) {
      await this.author.write('heavy', FILL.bytes, false, FILL.events)
      await this.everybodyHas('all')
    }
    await this.stream(Math.min(5, this.options.seconds))
    await this.everybodyHas('all')
  }

  async window(isStopped: boolean): Promise<Window> {
    if (isStopped) await this.order('stop')
    await this.fill(isStopped)
    await this.everybodyHas(isStopped ? 'quick' : 'all')
    await pause(1000)
    const cpuBefore = (await this.look()).cpu
    const began = performance.now()
    await this.order('begin')
    const most = await this.stream(this.options.seconds)
    await this.everybodyHas('quick')
    const figures = await this.order<WindowFigures>('end')
    const workerCpu = ((await this.look()).cpu - cpuBefore) / ((performance.now() - began) / 1000)
    const { heap, external } = await this.look({ collect: true })
    const window = { ...figures, ...most, isStopped, workerCpu, held: heap + external }
    const after = isStopped ? await this.catchUp() : undefined
    await this.everybodyHas('all')
    return { ...window, after }
  }

  async faults(): Promise<string[]> {
    return (await this.order<CrowdLook>('look')).faults
  }

  get events(): number {
    return this.author.all
  }

  async close(): Promise<void> {
    for (const child of [this.crowd, ...this.hubs, this.processor]) await child.stop()
    await this.store.close()
    await this.redis.stop()
  }

  /** As much as it takes until more waits for each of those that stopped than a worker holds; with nobody stopped, as much as it took the last time. */
  private async fill(isStopped: boolean): Promise<void> {
    let filled = 0
    const more = async () => {
      await this.author.write('heavy', FILL.bytes, false, FILL.events)
      filled += FILL.bytes * FILL.events
      await this.everybodyHas('quick')
    }
    if (!isStopped) for (; filled < this.filled; ) await more()
    else {
      for (; (await this.look()).stuck < this.options.stopped; await more()) if (filled > FILL.mostBytes) throw new Error(`not all of those that stopped are stuck: ${JSON.stringify({ hub: await this.look(), crowd: await this.order('look'), sent: this.author.all, filled })}`)
      // From here on nothing leaves the worker for them, and this is more than it holds for one.
      for (let n = 0; n < 3; n++) await more()
      this.filled = filled
    }
  }

  private async catchUp(): Promise<CatchUpFigures> {
    const began = performance.now()
    await this.order('begin')
    await this.look({ anew: true })
    await this.order('resume')
    const target = this.author.all
    const elapsed = () => (performance.now() - began) / 1000
    let seconds: number | undefined
    // The stream goes on meanwhile, and for so long at least that a percentile says something.
    while (seconds === undefined || elapsed() < LEAST_S) {
      await this.author.write('shared', this.options.bytes, true)
      await pause(1000 / this.options.rate)
      if ((await this.order<CrowdLook>('look')).stoppable >= target) seconds ??= elapsed()
      if (elapsed() > DEADLINE_MS / 1000) throw new Error('those that stopped did not catch up')
    }
    return { ...(await this.order<WindowFigures>('end')), seconds, workerLoop: (await this.look()).loop }
  }

  /** By the clock: what is late is not made up for by a burst. */
  private async stream(seconds: number): Promise<Pick<Window, 'rss' | 'waitingMost' | 'waitingAll' | 'kernel'>> {
    const { rate, bytes } = this.options
    const most = { rss: 0, waitingMost: 0, waitingAll: 0, kernel: 0 }
    const began = performance.now()
    for (let sent = 0; sent < seconds * rate; sent++) {
      await this.author.write('shared', bytes, true)
      if (sent % rate === 0) {
        const look = await this.look()
        most.rss = Math.max(most.rss, look.rss)
        most.waitingMost = Math.max(most.waitingMost, look.most)
        most.waitingAll = Math.max(most.waitingAll, look.all)
        most.kernel = Math.max(most.kernel, socketMemory())
      }
      await pause(Math.max(0, began + ((sent + 1) * 1000) / rate - performance.now()))
    }
    return most
  }

  /** All workers together; of sockets the one with the most. */
  private async look(question: HubQuestion = {}): Promise<HubLook> {
    const looks = await Promise.all(this.hubs.map((hub) => (hub.tell(question), hub.next() as unknown as Promise<HubLook>)))
    return looks.reduce((a, b) => ({
      cpu: a.cpu + b.cpu, rss: a.rss + b.rss, heap: a.heap + b.heap, external: a.external + b.external, most: Math.max(a.most, b.most), all: a.all + b.all, stuck: a.stuck + b.stuck, loop: Math.max(a.loop, b.loop), slow: a.slow + b.slow,
    }))
  }

  private async everybodyHas(who: 'all' | 'quick'): Promise<void> {
    await this.until(async () => {
      const { quick, stoppable } = await this.order<CrowdLook>('look')
      return quick >= this.author.shared && (who === 'quick' || this.options.stopped === 0 || stoppable >= this.author.all)
    })
  }

  private async until(holds: () => Promise<boolean>): Promise<void> {
    for (const deadline = performance.now() + DEADLINE_MS; !(await holds()); await pause(20)) {
      if (performance.now() > deadline) throw new Error(`not everybody got everything within ${DEADLINE_MS / 1000} s: ${(await this.faults()).join('; ')}`)
    }
  }

  /** One at a time: the crowd answers each line with one. */
  private turn: Promise<unknown> = Promise.resolve()
  private order<T = object>(order: string): Promise<T> {
    const answer = this.turn.then(() => (this.crowd.tell({ order }), this.crowd.next() as unknown as Promise<T>))
    this.turn = answer.catch(() => undefined)
    return answer
  }
}

/** Linux counts pages of 4 KB. */
function socketMemory(): number {
  const pages = /^TCP: .* mem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'utf8'))?.[1]
  return Number(pages ?? 0) * 4096
}
