/** A Python that has what the printed scripts import, and programs that run in it. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ended, leash } from '../harness/leash.js'
import { eventually } from '../harness/eventually.js'

const HERE = resolve('test/seeds')
const REQUIREMENTS = resolve(HERE, 'requirements.txt')
/** With the installed packages of Node: `npm ci` throws it away. */
const VENV = resolve('node_modules/.cache/python-seeds-venv')
const STAMP = resolve(VENV, '.made-from')
const PROGRAM = resolve(VENV, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
const INSTALL_MS = 180_000

export const printed = (file: string): string => resolve(HERE, 'printed', file)

/** Makes the environment where there is none yet. Undefined when all is there, else why it cannot be. */
export function whyNoPython(): string | undefined {
  const found = ['python3', 'python'].find((name) => spawnSync(name, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'], { timeout: 20_000 }).status === 0)
  if (found === undefined) return 'there is no python3 of 3.10 or later with venv and pip'
  const made = createHash('sha256').update(`${VENV}\0`).update(readFileSync(REQUIREMENTS)).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === made) return undefined
  rmSync(VENV, { recursive: true, force: true })
  for (const [program, ...args] of [[found, '-m', 'venv', VENV], [PROGRAM, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '2', '-r', REQUIREMENTS]] as const) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: INSTALL_MS })
    if (status !== 0) return `\`${args.slice(0, 3).join(' ')}\` failed: ${(error?.message ?? stderr.trim().split('\n').findLast((line) => line.startsWith('ERROR')) ?? stderr.trim()).slice(0, 300)}`
  }
  writeFileSync(STAMP, made)
  return undefined
}

export interface Running {
  /** What it printed, a line each. */
  lines: string[]
  errors(): string
  /** The first line that fits, printed already or to come. */
  says(what: string | RegExp, deadlineMs?: number): Promise<string>
  /** As Ctrl-C does. */
  interrupt(): void
  /** Ends its input. */
  finish(): void
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

const open = new Set<{ kill(): void }>()
afterEach(() => {
  for (const child of open) child.kill()
  open.clear()
})

export function runPython(program: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(PROGRAM, ['-u', resolve(HERE, 'programs', program), ...args], {
    // Nothing is left behind in the folders of the sources.
    env: { ...process.env, PYTHONPATH: [resolve(HERE, 'printed'), resolve('client-sdk/python/src')].join(process.platform === 'win32' ? ';' : ':'), PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1', NO_PROXY: '*', ...env },
  })
  leash(child)
  open.add({ kill: () => child.kill('SIGKILL') })
  const lines: string[] = []
  let [rest, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const fits = (what: string | RegExp) => (line: string) => (typeof what === 'string' ? line.includes(what) : what.test(line))
  return {
    lines,
    errors: () => errors,
    says: (what, deadlineMs) => eventually(() => lines.find(fits(what)), `${what} of ${program}`, deadlineMs).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it said ${JSON.stringify(lines.slice(-20))} ${errors.slice(-2000)}`, { cause: error })
    }),
    interrupt: () => void child.kill('SIGINT'),
    finish: () => child.stdin.end(),
    exited: ended(child),
  }
}
