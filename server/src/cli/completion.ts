import { UsageError, type Command } from './arguments.js'
import { print } from './print.js'
import { SHELLS, type Completed } from './completion-scripts.js'

/** @param commands of the command line, this one included: loaded when it runs, for it is one of them */
export function completionOf(commands: () => Promise<Readonly<Record<string, Command>>>): Command {
  return {
    usage: `completion ${Object.keys(SHELLS).join('|')}`,
    about: 'A script that completes commands and flags: `source <(hubbub completion bash)`.',
    flags: {},
    async run(call) {
      const [shell = '', ...rest] = call.words
      if (!Object.hasOwn(SHELLS, shell) || rest.length > 0) throw new UsageError(`completion: '${call.words.join(' ')}' is not allowed; allowed: ${Object.keys(SHELLS).join(', ')}`)
      const known = Object.entries(await commands()).map(([name, command]) => completed(name, command))
      print(SHELLS[shell]!([...known, { name: 'help', about: 'Says more of a command.', words: known.map(({ name }) => name), flags: [] }, { name: 'version', about: 'The version.', words: [], flags: [] }]))
      return 0
    },
  }
}

/** The words behind a command's name stand in its usage: `dead list [-n N] | dead show ID`, `completion bash|zsh`. */
function completed(name: string, { usage, about, flags }: Command): Completed {
  const ways = usage.split(' | ').map((way) => way.split(' ')[1] ?? '')
  const words = ways.flatMap((word) => word.split('|')).filter((word) => /^[a-z]+$/.test(word))
  return {
    name,
    about: about.split(/(?<=\.) /)[0]!,
    words,
    flags: Object.entries(flags).map(([flag, { about: text, value }]) => ({ name: `--${flag}`, about: text, hasValue: value !== undefined })),
  }
}
