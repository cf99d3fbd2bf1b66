/** The Redis of a world: what faults may do to it, and what the reader of the truth must know of it. */
import type { Offset } from '@hubbub/protocol'
import { startRedis } from '../harness/redis.js'

export interface Store {
  /** Straight to who is master now, past all proxies. */
  url(): string
  /** What hubs are told; `port` is that of their proxy. */
  hubUrl(port: number): string
  /** Whether a proxy may stand between it and the hubs. */
  readonly isAlone: boolean
  /** Failovers so far: of each, where the journal of every partition stood on the new master when it became that. */
  readonly failovers: readonly (readonly Offset[])[]
  stop(): Promise<void>
  /** Of the master: SIGSTOP, SIGCONT, SIGKILL. */
  signal(signal: NodeJS.Signals): Promise<void>
  /** After SIGKILL, with what its files hold. */
  restart(): Promise<void>
  /** On: no file of it grows any more, as on a full disk. */
  fillDisk(on: boolean): Promise<void>
  /**
   * The master is killed, or frozen and killed when another one took its place; `deafMs` before that its replica hears nothing more, so that writes are lost.
   * Resolves when there is a new master, with what is left to do: the former one becomes its replica.
   */
  failOver?(how: 'kill' | 'freeze', deafMs: number): Promise<() => Promise<void>>
}

/**
 * With `everysec` Redis answers before it writes whenever a sync takes long, and a SIGKILL then loses what it answered. With `no` it writes
 * before it answers, always: the page cache survives the process, so that a restart loses nothing and whatever is missing is the hub's fault.
 */
const REDIS_ARGS = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no', '--auto-aof-rewrite-min-size', '64mb']
/** Less than any file has that is written to. */
const FULL_BYTES = 4096

export async function startStore(): Promise<Store> {
  const redis = await startRedis({ args: REDIS_ARGS, fileBytes: 'unlimited' })
  return {
    isAlone: true,
    failovers: [],
    url: () => redis.url,
    hubUrl: (port) => `redis://127.0.0.1:${port}`,
    signal: (signal) => redis.kill(signal),
    restart: () => redis.restart(),
    fillDisk: (on) => redis.limitFiles(on ? FULL_BYTES : 'unlimited'),
    stop: () => redis.stop(),
  }
}

