/** Command line and environment, read by one table for each command: the same table checks, and writes the help. */
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Wrong usage: one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface Flag {
  short?: string
  /** Name of the value in the help; absent: a switch. */
  value?: string
  env: string
  default?: string
  about: string
  /** May be given several times, or as a comma-separated list. */
  isList?: boolean
}

export type Flags = Record<string, Flag>

export interface Command {
  /** Behind `hubbub <name>`. */
  usage: string
  about: string
  flags: Flags
  /** Answers the exit code. Throws UsageError, SettingError or HubError. */
  run(call: Call): Promise<number>
}

export type Env = Record<string, string | undefined>

/** One call of a command: flags win over the environment, the environment over defaults. */
export class Call {
  constructor(
    readonly words: readonly string[],
    private readonly flags: Flags,
    private readonly given: Readonly<Record<string, unknown>>,
    readonly env: Env,
  ) {}

  text(name: string): string | undefined {
    const given = this.given[name]
    const flag = this.flags[name]
    if (typeof given === 'string') return given
    return (flag && this.env[flag.env]) || flag?.default
  }

  required(name: string): string {
    const text = this.text(name)
    if (text === undefined || text === '') throw new UsageError(`--${name} is missing (or ${this.flags[name]?.env})`)
    return text
  }

  /** Undefined when nothing was said. */
  list(name: string): string[] | undefined {
    const given = this.given[name]
    const texts = Array.isArray(given) ? (given as string[]) : [this.env[this.flags[name]?.env ?? ''] ?? '']
    const parts = texts.flatMap((text) => text.split(',')).map((part) => part.trim()).filter((part) => part !== '')
    return parts.length > 0 ? parts : undefined
  }

  on(name: string): boolean {
    if (this.given[name] !== undefined) return this.given[name] === true
    const { env = '' } = this.flags[name] ?? {}
    const text = this.env[env]
    if (text === undefined || ['', '0', 'false'].includes(text)) return false
    if (['1', 'true'].includes(text)) return true
    throw new UsageError(`${env}: '${text}' is not allowed; allowed: 1, true, 0, false`)
  }

  /** On the command line; the environment may say it for other calls. */
  isGiven(name: string): boolean {
    return this.given[name] !== undefined
  }

  /** Flags as they were given, for whoever reads settings. */
  textsGiven(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.given).filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
  }

  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw new UsageError(`--${name}: '${text}' is not allowed; allowed: an integer from ${min} to ${max}`)
  }
}

/** Throws UsageError. */
export function readCall(flags: Flags, argv: readonly string[], env: Env): Call {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } }
  for (const [name, { short, value, isList }] of Object.entries(flags)) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', ...(short && { short }), ...(isList && { multiple: true }) }
  }
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
    return new Call(positionals, flags, values, env)
  } catch (error) {
    // Node's own texts explain themselves over several sentences; the first one says it.
    const [first = 'wrong arguments'] = (error as Error).message.split(/\n|\. /)
    throw new UsageError(first.charAt(0).toLowerCase() + first.slice(1))
  }
}

/** Where the hub is, and who asks: of every command that speaks to one. */
export const REMOTE: Flags = {
  url: { value: 'URL', env: 'HUBBUB_URL', default: 'http://127.0.0.1:4000', about: 'The hub.' },
  token: { value: 'TOKEN', env: 'HUBBUB_TOKEN', about: 'A token or an API key.' },
  project: { value: 'P', env: 'HUBBUB_PROJECT', about: 'Needed only when the token grants several.' },
}

export interface Remote {
  url: string
  token?: string
  project?: string
}

export function readRemote(call: Call): Remote {
  const url = call.required('url')
  if (!/^https?:\/\/[^\s/]+/.test(url) || !URL.canParse(url)) throw new UsageError(`--url: '${url}' is not allowed; allowed: an http:// or https:// URL`)
  const token = call.text('token')?.trim()
  // Two pasted as one, most likely; no header could carry it, and no message should show it.
  if (token && /\s/.test(token)) throw new UsageError('--token: white space is not allowed; allowed: one token or API key')
  const project = call.text('project')
  return { url: url.replace(/\/+$/, ''), ...(token && { token }), ...(project && { project }) }
}
