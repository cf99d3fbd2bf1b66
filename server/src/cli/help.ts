/** `hubbub help [COMMAND]`, drawn from the tables by which the commands read their arguments. */
import type { Command } from './arguments.js'

export function overview(commands: Readonly<Record<string, Command>>): string {
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(12)}${about.split(/(?<=\.) /)[0]}`)
  return [
    'hubbub: a real-time hub for fleets of AI agents',
    '',
    'Usage: hubbub COMMAND [ARGUMENTS]',
    '',
    ...lines,
    '  help        Says more: `hubbub help COMMAND`.',
    '  version     The version.',
    '',
    'Every flag has an environment variable; a flag wins over it.',
    'Exit codes: 0 done, 1 failed (code and remedy on stderr), 2 wrong usage or setting.',
  ].join('\n')
}

export function helpOf({ usage, about, flags }: Command): string {
  const rows = Object.entries(flags).map(([name, { short, value, env, default: standard, about: text }]) => {
    const form = `  ${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
    return [form, `${text} (${env}${standard ? `, default ${standard}` : ''})`] as const
  })
  const width = Math.max(...rows.map(([form]) => Math.min(form.length, 30)))
  return [`Usage: hubbub ${usage}`, '', about, '', ...rows.map(([form, text]) => (form.length > width ? `${form}\n${' '.repeat(width)}  ${text}` : `${form.padEnd(width)}  ${text}`))].join('\n')
}
