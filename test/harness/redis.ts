import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient, ErrorReply } from 'redis'
import { ended, leash } from './leash.js'
import { freePort } from './port.js'

export interface RedisProcess {
  url: string
  port: number
  pid: number
  /** Ends it and removes its files. */
  stop(): Promise<void>
  /** SIGKILL, SIGSTOP, SIGCONT, ...; resolves when a deadly signal did its work. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port and files, after `kill('SIGKILL')`. */
  restart(): Promise<void>
  /** From now on no file of it grows beyond so many bytes; only of one that was started with `fileBytes`. */
  limitFiles(bytes: number | 'unlimited'): Promise<void>
}

export interface RedisOptions {
  args?: string[]
  /** A disk that is full: no file of this redis-server grows beyond so many bytes. */
  fileBytes?: number | 'unlimited'
}

/** A real redis-server on a free port, nothing persisted unless `args` say so. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'hubbub-redis-'))
  const url = `redis://127.0.0.1:${port}`
  let { fileBytes } = options
  let child = await launch(port, dir, options)
  return {
    url,
    port,
    get pid() {
      return child.pid!
    },
    async kill(signal) {
      const gone = ended(child)
      child.kill(signal)
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await gone
    },
    async restart() {
      child = await launch(port, dir, { ...options, fileBytes })
    },
    async limitFiles(bytes) {
      fileBytes = bytes
      await promisify(execFile)('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`])
    },
    async stop() {
      const gone = ended(child)
      child.kill('SIGKILL')
      await gone
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function launch(port: number, dir: string, { args = ['--save', '', '--appendonly', 'no'], fileBytes }: RedisOptions): Promise<ChildProcess> {
  const command = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...args]
  // Without the trap a write beyond the limit ends the process, instead of failing as on a full disk.
  if (fileBytes !== undefined) command.unshift('sh', '-c', 'trap "" XFSZ; exec prlimit --fsize="$0": "$@"', String(fileBytes))
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
  leash(child)
  const deadline = Date.now() + 20_000
  for (;;) {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: false } })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.ping()
      client.destroy()
      return child
    } catch (error) {
      client.destroy()
      // It asks for a password: it is up.
      if (error instanceof ErrorReply && error.message.startsWith('NOAUTH')) return child
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`redis-server on port ${port} did not come up`, { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
}
