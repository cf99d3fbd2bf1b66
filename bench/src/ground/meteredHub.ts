/**
 * A hub that also tells what it costs: asked by a line on stdin, for its CPU time, its memory, and what waits in it for sockets that do not
 * read, by the very measure by which fan-out decides that a socket is slow. Ends with its parent.
 */
import { randomUUID } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { socketioEncoding, SocketOutlet, type EngineConnection } from '../../../server/dist/gateway/socketio/wire.js'
import { startHub } from '../../../server/dist/hub.js'
import { settingsWith } from '../../../server/dist/settings/read.js'
import type { Settings } from '../../../server/dist/settings/table.js'

export interface HubLook {
  /** s, user and system, since the start. */
  cpu: number
  /** Bytes: resident; JavaScript's heap; what stands outside of it. */
  rss: number
  heap: number
  external: number
  /** Bytes given to sockets and not taken by the kernel: of the one with the most, of all, and of how many more than what counts as drained. */
  most: number
  all: number
  stuck: number
  /** ms: how late the event loop was at most since it was asked to begin anew. */
  loop: number
  /** Since the start: sessions that fell back to the journal because their socket was slow. */
  slow: number
}

/** What to do before it is told. */
export interface HubQuestion {
  /** A collection: what stays is held by something. */
  collect?: boolean
  /** Measures the loop anew, from now on. */
  anew?: boolean
}

const DRAINED_BYTES = 64 * 1024

interface Engine {
  clients: Record<string, EngineConnection>
}

const input = JSON.parse(process.argv[2] ?? '{}') as Partial<Settings>
let engine: Engine | undefined
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
const hub = await startHub({
  settings: settingsWith({ port: 0, partitions: 1, ...input }),
  // Called as the engine's own method: the one place where a program gets hold of it, and of its queues.
  sessionId: function (this: Engine) {
    // oxlint-disable-next-line typescript/no-this-alias, unicorn/no-this-assignment
    engine = this
    return randomUUID()
  },
})
const encoding = socketioEncoding(hub.metrics)
createInterface({ input: process.stdin })
  .on('line', (line) => void look(JSON.parse(line) as HubQuestion).then(say))
  .on('close', () => process.exit(0))
say({ url: hub.url })

async function look({ collect, anew }: HubQuestion): Promise<HubLook> {
  if (collect) collectGarbage()
  const loop = delay.max / 1e6
  if (anew) delay.reset()
  const cpu = process.cpuUsage()
  const waiting = Object.values(engine?.clients ?? {}).map((connection) => new SocketOutlet(encoding, connection, hub.metrics).waiting().bytes)
  const { rss, heapUsed, external } = process.memoryUsage()
  const { values } = await hub.metrics.catchups.get()
  return {
    cpu: (cpu.user + cpu.system) / 1e6, rss, heap: heapUsed, external, most: Math.max(0, ...waiting), all: waiting.reduce((sum, bytes) => sum + bytes, 0), stuck: waiting.filter((bytes) => bytes >= DRAINED_BYTES).length,
    loop, slow: values.find(({ labels }) => labels.cause === 'slow')?.value ?? 0,
  }
}

/** Not by a flag of the command line, which would be another program than the one that runs everywhere else. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
