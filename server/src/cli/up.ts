import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { constants, hostname } from 'node:os'
import { signToken } from '../access/tokens.js'
import { startHub, type RunningHub } from '../hub.js'
import { createLog, type Logger } from '../observe/log.js'
import { describeAllowed, readSettings, SettingError } from '../settings/read.js'
import { SETTINGS, type Setting, type Settings } from '../settings/table.js'
import { UsageError, type Command, type Flags } from './arguments.js'
import { runChild } from './machine/child.js'
import { berthOf } from './machine/messages.js'
import { runMachine, type MachineReady } from './machine/primary.js'
import { JSON_FLAG, note, print, printJson } from './print.js'

const TOKEN_LIFE = '30d'

export const up: Command = {
  usage: 'up [--host 127.0.0.1] [--port 4000] [--role all|worker|processor] [--redis URL] [--workers N] [--processors N] [--partitions N] [--adapter sharded|pubsub|streams]',
  about: 'Runs a hub. Without Redis: all in this process, history gone on exit. Further settings by environment: CONFIGURATION.md.',
  flags: { ...settingFlags(), json: { ...JSON_FLAG, about: 'One line of JSON when it is ready, instead of lines for people.' } },
  async run(call) {
    if (call.words.length > 0) throw new UsageError(`'${call.words[0]}' is one word too many`)
    const settings = readSettings(quietOnTerminal(call.env), call.textsGiven())
    const isOwnSecret = settleSecret(settings)
    const berth = cluster.isWorker ? berthOf(call.env) : undefined
    const log = createLog(settings.logLevel, berth?.node ?? (settings.nodeId || `${hostname()}-${process.pid}`))
    // The Redis adapters drop promises; one that rejects is worth a line, not the process.
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
    if (berth) {
      const own = { ...settings, role: berth.role, nodeId: berth.node }
      return await runChild({ settings: own, berth, log, close: (hub) => closedWithin(hub, own.drainMs) })
    }
    if (settings.adminPort > 0 && settings.workers === 1) {
      throw new SettingError(`HUBBUB_ADMIN_PORT: '${settings.adminPort}' is not allowed with HUBBUB_WORKERS '1', which has /metrics on its own port; allowed: 0, or several workers`)
    }
    if (settings.workers > 1) return await runAsMachine(settings, log, call.on('json'))
    const { signal: stop } = stopSignal()
    const hub = await startHub({ settings, log })
    const token = isOwnSecret ? operatorToken(settings) : undefined
    if (call.on('json')) printJson({ url: hub.url, role: settings.role, store: settings.redisUrl === '' ? 'memory' : 'redis', ...(token && { token }) })
    else for (const line of readyLines(hub.url, settings, token)) print(line)
    await stop
    return (await closedWithin(hub, settings.drainMs)) ? 0 : 1
  },
}

/** Several processes; their number is for people, their ids for programs. */
function runAsMachine(settings: Settings, log: Logger, json: boolean): Promise<number> {
  const stop = stopSignal()
  const onReady = ({ url, operator, workers, processors }: MachineReady) => {
    if (json) return void printJson({ url, role: settings.role, store: 'redis', workers, processors, ...(operator && { operator }) })
    const [first, ...rest] = readyLines(url, settings, undefined)
    const counts = `  ${workers.length} workers${processors.length === 0 ? '' : processors.length === 1 ? ', 1 processor' : `, ${processors.length} processors`}; SIGHUP replaces them one by one`
    for (const line of [first!, counts, ...(operator ? [`  all of them together: ${operator}/health/ready and ${operator}/metrics`] : []), ...rest]) print(line)
  }
  return runMachine({ settings, log, stop: stop.signal, onReady }, stop.beforeExit)
}

/** What a person needs to go on, as lines that work when they are pasted. */
export function readyLines(url: RunningHub['url'], settings: Settings, token: string | undefined): string[] {
  const lines = [`hubbub is ready: ${url}`]
  if (settings.redisUrl === '') lines.push('  in-memory store: no Redis, and the history is gone on exit')
  if (settings.role === 'processor') return [...lines, `  a processor: ${url}/health/ready and ${url}/metrics`]
  const credential = settings.auth === 'none' ? undefined : (token ?? '"$HUBBUB_TOKEN"')
  if (settings.auth === 'none') lines.push('  HUBBUB_AUTH=none: whoever reaches this address is an admin')
  else if (token) lines.push('  token (admin, for this process only: its secret is gone with it):', '', token)
  else lines.push('  tokens: HUBBUB_TOKEN=$(npx hubbub token --sub you --role admin), signed with the secret of this hub')
  if (settings.dashboard === 'on') {
    const fragment = token === undefined ? '' : `#token=${token}`
    lines.push('', '  dashboard:', '', `${url}/${settings.auth === 'none' ? '' : fragment}`)
  }
  const header = credential ? ` -H "Authorization: Bearer ${credential.replaceAll('"', '')}"` : ''
  return [
    ...lines,
    '',
    `npx hubbub tail '*' --url ${url}${credential ? ` --token ${credential}` : ''}`,
    '',
    `curl -s ${url}/api/v1/events${header} -d '{"type":"custom.hello","topics":["project"],"data":{"text":"hello"}}'`,
    '',
  ]
}

/** Without a cluster nobody else has to know the secret: a random one will do. Answers whether it does. */
function settleSecret(settings: Settings): boolean {
  if (settings.auth === 'none' || settings.role === 'processor') return false
  if (settings.jwtSecret + settings.jwtPublicKeyFile + settings.jwksFile !== '') return false
  if (settings.redisUrl !== '') {
    throw new SettingError('HUBBUB_JWT_SECRET: unset is not allowed with REDIS_URL, for all workers must know it; allowed: at least 32 characters, or HUBBUB_JWT_PUBLIC_KEY_FILE, or HUBBUB_JWKS_FILE')
  }
  settings.jwtSecret = randomBytes(32).toString('base64url')
  return true
}

function operatorToken(settings: Settings): string {
  const claims = { sub: 'operator', role: 'admin', projects: ['*'], project: 'default', ...(settings.jwtIssuer && { iss: settings.jwtIssuer }), ...(settings.jwtAudience && { aud: settings.jwtAudience }) }
  return signToken(settings.jwtSecret, claims, TOKEN_LIFE)
}

/** A store that hangs must not keep the process: leases end by themselves, sockets by the process's end. */
async function closedWithin(hub: RunningHub, ms: number): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), ms).unref()
  })
  const inOrder = await Promise.race([hub.close().then(() => true), late])
  if (!inOrder) note(`hubbub: not stopped in order within HUBBUB_DRAIN_MS (${ms} ms)`)
  return inOrder
}

interface StopSignal {
  signal: Promise<void>
  /** What is to be done before the second one ends the process. */
  beforeExit: (act: () => void) => void
}

/** The first signal asks for an orderly stop; the second one does not ask. */
function stopSignal(): StopSignal {
  let last = () => {}
  const signal = new Promise<void>((resolve) => {
    let isStopping = false
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (isStopping) {
          last()
          process.exit(128 + constants.signals[name])
        }
        isStopping = true
        note(`hubbub: ${name}: stopping in order; once more stops at once`)
        resolve()
      })
    }
  })
  return { signal, beforeExit: (act) => (last = act) }
}

/** A person at a terminal wants the ready lines, not the log's JSON around them; said otherwise, it is as said. */
function quietOnTerminal(env: Record<string, string | undefined>): Record<string, string | undefined> {
  const { env: variable } = SETTINGS.logLevel
  return process.stderr.isTTY && !env[variable] ? { ...env, [variable]: 'warn' } : env
}

function settingFlags(): Flags {
  const flags: Flags = {}
  for (const setting of Object.values<Setting>(SETTINGS)) {
    if (setting.flag === undefined) continue
    const { env, about, value } = setting
    flags[setting.flag] = { value: value.kind === 'integer' ? 'N' : value.kind === 'choice' ? describeAllowed(setting).replaceAll(', ', '|') : 'TEXT', env, about, ...(setting.default && { default: setting.default }) }
  }
  return flags
}
