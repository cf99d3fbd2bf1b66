/** `hubbub` as a shell runs it: a process of its own, from the build. */
import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { ended, leash } from '../harness/leash.js'

const PROGRAM = resolve('server/bin/hubbub.mjs')

export interface CommandProcess {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** JSON of each complete line of the output. */
  events(): { id: string; cursor: string; type: string; data: Record<string, unknown> }[]
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export function startCommand(args: string[], env: Record<string, string> = {}, input?: string): CommandProcess {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HUBBUB_|REDIS_URL$|NODE_OPTIONS$|NODE_ENV$|JEST_|NO_COLOR$)/.test(name)))
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...own, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  leash(child)
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const lines = (): string[] => output.stdout.split('\n').slice(0, -1)
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    events: () => lines().map((line) => JSON.parse(line) as ReturnType<CommandProcess['events']>[number]),
    exited: ended(child),
  }
}

/** Runs to its end. */
export async function command(args: string[], env: Record<string, string> = {}, input?: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const running = startCommand(args, env, input)
  const closed = new Promise((done) => running.child.once('close', done))
  const { code } = await running.exited
  await closed
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}
