/** The demo as whoever types `npm run demo` has it, after the clone was set up: a process of its own, from the examples. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { ended, leash } from '../harness/leash.js'

const PROGRAM = resolve('examples/demo/main.mjs')

export interface Demo {
  pid: number
  stdout(): string
  stderr(): string
  signal(name: NodeJS.Signals): void
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Of a test that failed. */
const running = new Set<ChildProcess>()
afterAll(() => running.forEach((child) => void child.kill('SIGKILL')))

export function startDemo(...words: string[]): Demo {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HUBBUB_|REDIS_URL$|NODE_OPTIONS$|JEST_)/.test(name)))
  const child = spawn(process.execPath, [PROGRAM, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  leash(child)
  running.add(child)
  child.once('exit', () => running.delete(child))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text))
  return { pid: child.pid!, stdout: () => output.stdout, stderr: () => output.stderr, signal: (name) => void child.kill(name), exited: ended(child) }
}

/** Command lines of processes that hold the text: what a demo left behind names its hub's address, or its port. */
export function processesWith(text: string): string[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line.includes('examples/demo/') && line.includes(text))
}
