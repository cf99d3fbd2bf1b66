/** A hub as operators run it: a process of its own, from the build. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { eventually } from './eventually.js'
import { ended, leash } from './leash.js'
import { SECRET } from './token.js'

/** jest runs in the root of the repository. */
const PROGRAM = resolve('server/bin/hubbub.mjs')
const READY_MS = 30_000
/** Output is kept for reports; a chatty process must not fill the memory. */
const KEPT_CHARACTERS = 1_000_000

export interface HubOptions {
  role?: 'all' | 'worker' | 'processor'
  /** Redis URL; absent: the in-memory store. */
  redis?: string
  /** Absent: a free one. */
  port?: number
  args?: string[]
  env?: Record<string, string>
}

export interface HubProcess {
  /** `http://127.0.0.1:<port>` */
  url: string
  port: number
  pid: number
  stdout(): string
  stderr(): string
  /** SIGKILL, SIGSTOP, SIGCONT, ...; resolves when SIGKILL did its work, at once for others. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** SIGTERM, and SIGKILL should that not end it in 20 s. Answers the exit code, null when it was killed. */
  stop(): Promise<number | null>
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

const running = new Set<HubProcess>()

/** Ends every hub that is still running; registered for the end of each test file. */
export async function stopHubs(): Promise<void> {
  await Promise.all([...running].map((hub) => hub.kill('SIGKILL')))
}
afterAll(stopHubs)

/** Starts a hub and waits until it is ready. Rejects with what it printed when it ends or is not ready within 30 s. */
export async function startHub(options: HubOptions = {}): Promise<HubProcess> {
  if (!existsSync(resolve('server/dist/cli/main.js'))) throw new Error('the hub is not built: npm run build')
  const { child, output } = launch(options)
  const exited = ended(child)
  let gone = false
  const hub: HubProcess = {
    url: '',
    port: 0,
    pid: child.pid!,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    exited,
    async kill(signal) {
      child.kill(signal)
      if (signal === 'SIGKILL') await exited
    },
    async stop() {
      // A frozen process takes no SIGTERM.
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const impatience = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const { code } = await exited
      clearTimeout(impatience)
      return code
    },
  }
  running.add(hub)
  void exited.then(() => {
    gone = true
    running.delete(hub)
  })
  try {
    hub.url = await eventually(() => gone || readyUrl(output.stdout), 'the ready line of the hub', READY_MS).then(String)
    if (!gone) await eventually(async () => gone || (await isReady(hub.url)), `${hub.url}/health/ready`, READY_MS)
    if (gone) throw new Error('the hub ended')
  } catch (error) {
    await hub.kill('SIGKILL')
    throw new Error(`the hub did not start: ${(error as Error).message}\n${output.stdout.slice(-2000)}\n${output.stderr.slice(-4000)}`, { cause: error })
  }
  hub.port = Number(new URL(hub.url).port)
  return hub
}

function launch({ role, redis, port = 0, args = [], env = {} }: HubOptions): { child: ChildProcess; output: { stdout: string; stderr: string } } {
  const flags = ['--port', String(port), ...(role ? ['--role', role] : []), ...(redis ? ['--redis', redis] : []), ...args]
  const child = spawn(process.execPath, [PROGRAM, 'up', ...flags], { env: { ...plainEnvironment(), HUBBUB_JWT_SECRET: SECRET, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  leash(child)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-KEPT_CHARACTERS)
    })
  }
  return { child, output }
}

/** Ours without what would steer a hub: the developer's own settings, and jest's flags for Node. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HUBBUB_|REDIS_URL$|NODE_OPTIONS$|NODE_ENV$|JEST_)/.test(name)))
}

function readyUrl(stdout: string): string | undefined {
  return /https?:\/\/[^\s/:]+:\d+/.exec(stdout)?.[0]
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2000) })
  await answer.arrayBuffer()
  return answer.status === 200
}
