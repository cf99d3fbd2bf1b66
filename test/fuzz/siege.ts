/**
 * A hub as a process, for inputs over real sockets, and a witness: a stock client that hears what another one publishes all the while. What
 * it did not hear, or heard twice or out of order (I1, I2), is a finding; so is each line that the hub logs as an error of its own, and its end.
 */
import { once } from 'node:events'
import { problems } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

export const GITHUB_SECRET = 'the secret that GitHub signs with'

/** Little is kept, so that what grows is a leak; and no rate keeps inputs from their parsers. */
const ENV = {
  HUBBUB_GITHUB_SECRET: GITHUB_SECRET, HUBBUB_LOG_LEVEL: 'error', HUBBUB_SYSTEM_PROJECT: 'none', HUBBUB_ALERT_REFUSALS: '0', HUBBUB_ALERT_SLOW: '0', HUBBUB_MESSAGE_RATE: '1000000', HUBBUB_MESSAGE_BURST: '1000000',
  HUBBUB_FAMILY_RATES: '*=1000000', HUBBUB_CONNECT_RATE: '0', HUBBUB_AUTH_FAILURES: '0', HUBBUB_RETENTION_MS: '5000', HUBBUB_RETENTION_COUNT: '1000', HUBBUB_RETENTION_BYTES: '1048576', HUBBUB_SEEN_MS: '1000', HUBBUB_SEEN_COUNT: '1000',
  HUBBUB_FINISHED_MS: '500', HUBBUB_FINISHED_COUNT: '10', HUBBUB_IDLE_MS: '2000', HUBBUB_HEARTBEAT_MS: '1000', HUBBUB_STALE_MS: '3000', HUBBUB_OFFLINE_MS: '4000', HUBBUB_FORGET_MS: '5000', HUBBUB_TASK_TRIES: '1', HUBBUB_ACCEPT_MS: '500',
  HUBBUB_COMMAND_MS: '100', HUBBUB_DELIVERY_MS: '1000', HUBBUB_TRACE_SESSIONS: '10', HUBBUB_WINDOW_EVENTS: '1000', HUBBUB_WINDOW_BYTES: '1048576',
  // A leak of a few hundred megabytes ends it here.
  NODE_OPTIONS: '--max-old-space-size=256',
}
/** Between two events of the witness, ms. */
const BEAT_MS = 10
/** Of a look at the hub's heap, ms: the least of many is what is left behind a collection. */
const LOOK_MS = 250

export interface Siege {
  hub: HubProcess
  url: string
  /** The hub ended by itself. */
  isOver(): boolean
  /** Megabytes, the least since it was last asked. */
  heap(): number
  rss(): number
  /** Events of the witness by now. */
  witnessed(): number
  /** Ends it, and says what was wrong. */
  lift(): Promise<string[]>
}

export async function lay(): Promise<Siege> {
  const hub = await startHub({ env: ENV })
  const witness = await stockClient(hub.url, { token: token({ sub: 'witness', role: 'viewer' }), topics: ['task:witness'] })
  const speaker = await stockClient(hub.url, { token: token({ sub: 'speaker', role: 'service' }) })
  const stop = new AbortController()
  const published: string[] = []
  const faults: string[] = []
  const speaking = speak(speaker, published, faults, () => stop.signal.aborted)
  let [least, rss] = [Infinity, 0]
  const looking = (async () => {
    while (!stop.signal.aborted) {
      const found = await vitals(hub.url).catch(() => undefined)
      if (found) [least, rss] = [Math.min(least, found.heap), found.rss]
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  })()
  let end: string | undefined
  void hub.exited.then(({ code, signal }) => (end ??= `the hub ended by itself: ${signal ?? code}`))
  return {
    hub,
    url: hub.url,
    isOver: () => end !== undefined,
    heap() {
      const found = least
      least = Infinity
      return found
    },
    rss: () => rss,
    witnessed: () => witness.events.length,
    async lift() {
      stop.abort()
      await speaking
      await looking
      if (end === undefined) await witness.holds(published.length, 10_000).catch((error: unknown) => faults.push(String(error)))
      // The hub derives some of its own: it forgets a task of which nothing was heard for long.
      faults.push(...problems(witness.receipts(), published, { more: true }), ...(witness.connections.length === 1 ? [] : [`the witness was connected ${witness.connections.length} times`]))
      faults.push(...hub.stderr().split('\n').filter((line) => line !== '').slice(0, 20))
      if (end === undefined) {
        const health = await fetch(`${hub.url}/health/ready`)
        if (health.status !== 200) faults.push(`the hub is not ready any more: ${health.status}`)
      } else faults.push(end)
      const unexpected = end
      end = 'stopped'
      for (const client of [witness, speaker]) client.close()
      const code = await hub.stop()
      if (unexpected === undefined && code !== 0) faults.push(`the hub stopped with ${code}`)
      return faults
    },
  }
}

async function speak({ socket }: Sink, published: string[], faults: string[], isOver: () => boolean): Promise<void> {
  for (let seq = 0; !isOver(); seq++) {
    if (!socket.connected) await eventually(() => socket.connected || isOver(), 'the speaker to come back', 60_000).catch((error: unknown) => faults.push(String(error)))
    if (isOver()) return
    const id = `witness:${seq}`
    published.push(id)
    const event = { id, type: 'task.progress', data: { taskId: 'witness', progress: 1, producer: 'speaker', seq } }
    // A lost answer is asked for once more: the second one is the first one's.
    for (let tries = 1; ; tries++) {
      const answer = (await socket.timeout(15_000).emitWithAck('publish', event).catch((error: unknown) => ({ ok: false, error: String(error) }))) as { ok: boolean; error?: unknown }
      if (answer.ok) break
      if (tries < 3 && !isOver()) continue
      faults.push(`${id} was not published: ${JSON.stringify(answer.error)}`)
      break
    }
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS))
  }
}

async function vitals(url: string): Promise<{ heap: number; rss: number }> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const of = (name: string) => Number(new RegExp(`^\\w*${name}(?:\\{[^}]*\\})? ([\\d.e+]+)$`, 'm').exec(text)?.[1]) / 2 ** 20
  return { heap: of('nodejs_heap_size_used_bytes'), rss: of('process_resident_memory_bytes') }
}

/** Resolves when it is open or failed. */
export async function settled(socket: NodeJS.EventEmitter): Promise<boolean> {
  const abort = new AbortController()
  try {
    const { signal } = abort
    return await Promise.race([once(socket, 'open', { signal }).then(() => true), once(socket, 'close', { signal }).then(() => false), once(socket, 'error', { signal }).then(() => false)])
  } catch {
    return false
  } finally {
    abort.abort()
  }
}
