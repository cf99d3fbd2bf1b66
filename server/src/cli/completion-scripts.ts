/** What a shell needs to complete `hubbub`, made of the tables by which the commands read their arguments. */

export interface Completed {
  name: string
  about: string
  /** That may follow the name. */
  words: readonly string[]
  flags: readonly { name: string; about: string; hasValue: boolean }[]
}

export const SHELLS: Readonly<Record<string, (commands: readonly Completed[]) => string>> = { bash, zsh, fish }

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, words, flags }) => `    ${name}) words='${[...words, ...flags.map((flag) => flag.name), '--help'].join(' ')}' ;;`)
  return [
    '# bash completion of hubbub',
    '_hubbub() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  if ((COMP_CWORD == 1)); then',
    `    words='${commands.map(({ name }) => name).join(' ')}'`,
    '  else case "${COMP_WORDS[1]}" in',
    ...cases,
    '  esac; fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '}',
    'complete -F _hubbub hubbub',
  ].join('\n')
}

function zsh(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, words, flags }) => {
    const options = flags.map((flag) => `'${flag.name}${flag.hasValue ? '=' : ''}[${bracketed(flag.about)}]${flag.hasValue ? ':value:' : ''}'`)
    return `    ${name}) _arguments ${[...options, `'1:word:(${words.join(' ')})'`, "'*::argument:'"].join(' ')} ;;`
  })
  return [
    '#compdef hubbub',
    '# zsh completion of hubbub',
    '_hubbub() {',
    '  local -a commands=(',
    ...commands.map(({ name, about }) => `    '${name}:${quoted(about)}'`),
    '  )',
    "  if ((CURRENT == 2)); then _describe command commands; return; fi",
    '  local name=${words[2]}',
    '  shift words; ((CURRENT--))',
    '  case $name in',
    ...cases,
    '  esac',
    '}',
    'compdef _hubbub hubbub',
  ].join('\n')
}

function fish(commands: readonly Completed[]): string {
  return [
    '# fish completion of hubbub',
    'complete -c hubbub -f',
    ...commands.flatMap(({ name, about, words, flags }) => [
      `complete -c hubbub -n __fish_use_subcommand -a ${name} -d '${escaped(about)}'`,
      ...(words.length > 0 ? [`complete -c hubbub -n '__fish_seen_subcommand_from ${name}' -a '${words.join(' ')}'`] : []),
      ...flags.map((flag) => `complete -c hubbub -n '__fish_seen_subcommand_from ${name}' -l ${flag.name.slice(2)}${flag.hasValue ? ' -r' : ''} -d '${escaped(flag.about)}'`),
    ]),
  ].join('\n')
}

/** Inside single quotes, where zsh and bash know no escapes. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(':', '\\:')
}

function bracketed(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[[\]]/g, (bracket) => `\\${bracket}`)
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
}
