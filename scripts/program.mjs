/** Finds a program that is not of npm, or gets it: apt as root or with sudo, Homebrew. */
import { delimiter, join } from 'node:path'
import { isProgram, runs, UNATTENDED, wayTo } from './package-manager.mjs'
import { giveUp, say, step } from './step.mjs'

/** Where package managers put them: an ordinary user's PATH does not name `sbin`. */
const USUAL = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']

/**
 * Its path; undefined where it cannot be had, which one line explains.
 * @param {{ variable: string, program: string, apt: string, without: string }} wanted `variable` names one that stands elsewhere; `without`: what then fails
 */
export async function programOf(wanted) {
  return named(wanted) ?? present(wanted.program) ?? (await fetched(wanted))
}

function named({ variable }) {
  const path = process.env[variable]
  return path === undefined || runs(path, ['-v']) ? path : giveUp(`${variable} names ${path}, which does not run.`)
}

function present(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...USUAL]
  return folders.map((folder) => join(folder, program)).find((path) => isProgram(path) && runs(path, ['-v']))
}

async function fetched({ variable, program, apt, without }) {
  const way = wayTo(apt, [program])
  let why = way ? undefined : 'there is no package manager that could bring one without a password'
  for (const { title, command } of way ?? []) {
    const { ok, output } = await step(title, command[0], command.slice(1), UNATTENDED)
    if (!ok) why ??= `${title} failed: ${lastLine(output)}`
  }
  const path = present(program)
  if (!path) say(`there is no ${program}, and ${without}: ${why ?? 'the package brought none'}; install it (Debian and Ubuntu: apt-get install ${apt}; macOS: brew install ${program}), or name one with ${variable}`)
  return path
}

function lastLine(output) {
  return (output.trim().split('\n').at(-1) ?? '').slice(0, 300)
}
