/** `hubbub COMMAND ...`: finds the command, reads its arguments, and turns whatever it throws into a line and an exit code. */
import { HubError } from '@hubbub/protocol'
import { SettingError } from '../settings/read.js'
import { StoreUnavailable } from '../store/port.js'
import { VERSION } from '../version.js'
import { readCall, UsageError, type Command, type Env } from './arguments.js'
import { helpOf, overview } from './help.js'
import { failureLine, flushed, note, plain, print } from './print.js'
import { titleOf } from './title.js'

/** Loaded when called for: a `tail` need not load the hub. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./up.js')).up,
  key: async () => (await import('./key.js')).key,
  token: async () => (await import('./token.js')).token,
  publish: async () => (await import('./publish.js')).publish,
  tail: async () => (await import('./tail.js')).tail,
  status: async () => (await import('./status.js')).status,
  dead: async () => (await import('./dead.js')).dead,
  sink: async () => (await import('./sink.js')).sink,
  tap: async () => (await import('./tap.js')).tap,
  trace: async () => (await import('./trace.js')).trace,
  top: async () => (await import('./top.js')).top,
  task: async () => (await import('./show.js')).showTask,
  agent: async () => (await import('./show.js')).showAgent,
  pipeline: async () => (await import('./show.js')).showPipeline,
  completion: async () => (await import('./completion.js')).completionOf(allCommands),
}

/** Answers the exit code; prints, but never throws. */
export async function main(argv: readonly string[], env: Env): Promise<number> {
  const title = titleOf(argv)
  if (title !== undefined) process.title = title
  // `| head` is done with us: no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const [name = 'help', ...rest] = argv
  const code = await dispatch(name, rest, env)
  await flushed()
  return code
}

async function dispatch(name: string, rest: readonly string[], env: Env): Promise<number> {
  try {
    if (['version', '--version', '-v'].includes(name)) return say(VERSION)
    if (['help', '--help', '-h'].includes(name)) return say(await help(rest[0]))
    const command = await find(name)
    if (rest.includes('--help') || rest.includes('-h')) return say(helpOf(command))
    return await command.run(readCall(command.flags, rest, env))
  } catch (error) {
    return report(name, error)
  }
}

async function help(name: string | undefined): Promise<string> {
  return name === undefined ? overview(await allCommands()) : helpOf(await find(name))
}

async function allCommands(): Promise<Readonly<Record<string, Command>>> {
  return Object.fromEntries(await Promise.all(Object.entries(COMMANDS).map(async ([key, load]) => [key, await load()] as const)))
}

async function find(name: string): Promise<Command> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!load) throw new UsageError(`'${plain(name)}' is no command; there are ${Object.keys(COMMANDS).join(', ')}, help, version`)
  return await load()
}

function say(text: string): number {
  print(text)
  return 0
}

function report(name: string, error: unknown): number {
  if (error instanceof SettingError) {
    note(`hubbub: ${error.message}`)
    return 2
  }
  if (error instanceof UsageError) {
    note(`hubbub${Object.hasOwn(COMMANDS, name) ? ` ${name}` : ''}: ${error.message}; see \`hubbub help${Object.hasOwn(COMMANDS, name) ? ` ${name}` : ''}\``)
    return 2
  }
  if (error instanceof HubError) note(`hubbub ${name}: ${failureLine(error)}`)
  else if (error instanceof StoreUnavailable) note(`hubbub ${name}: the store is out of reach: ${plain(error.message)}`)
  else if (isSystemError(error)) note(`hubbub ${name}: ${plain(error.message)}`)
  else note(`hubbub ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return 1
}

/** Address in use, no such file: their text says it all, a stack would hide it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}
