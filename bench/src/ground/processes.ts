/** Child processes of a measurement: each says one line of JSON when it is ready, and is ended by its pid. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createClient } from 'redis'

export interface Child {
  readonly pid: number
  /** What it said when it was ready. */
  readonly ready: Record<string, unknown>
  /** The next line that it says. */
  next(): Promise<Record<string, unknown>>
  tell(message: object): void
  stop(): Promise<void>
}

/** Starts one of our scripts, named from the root of bench. */
export async function startChild(script: string, input: object): Promise<Child> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../${script}`, import.meta.url)), JSON.stringify(input)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const line = await lines.next()
    if (line.done) throw new Error(`${script} ended early`)
    return JSON.parse(line.value) as Record<string, unknown>
  }
  return {
    pid: child.pid!,
    ready: await next(),
    next,
    tell: (message) => child.stdin.write(`${JSON.stringify(message)}\n`),
    stop: () => ended(child, 'SIGKILL'),
  }
}

export interface Redis {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** A redis-server of this run's own, nothing persisted unless the arguments say so. */
export async function startRedis(more: readonly string[] = []): Promise<Redis> {
  const port = await freePort()
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...more], { stdio: 'ignore' })
  const url = `redis://127.0.0.1:${port}`
  for (let tries = 0; ; tries++) {
    const client = createClient({ url, socket: { reconnectStrategy: false } })
    client.on('error', () => undefined)
    try {
      await client.connect()
      client.destroy()
      return { url, pid: child.pid!, stop: () => ended(child, 'SIGKILL') }
    } catch (error) {
      if (tries > 100) throw new Error('redis-server did not come up; is it installed?', { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Sends the signal; resolves when the process is gone. */
export function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
