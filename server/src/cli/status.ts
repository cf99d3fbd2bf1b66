import { readRemote, REMOTE, UsageError, type Command } from './arguments.js'
import { JSON_FLAG, plain, print, printJson, table, wantsJson } from './print.js'
import { callHub } from './remote.js'
import { unitsOf } from './terminal/figures.js'

export const status: Command = {
  usage: 'status [--json]',
  about: 'The hub\'s version, role, store, connections, and for an admin its partitions with owner and lag.',
  flags: { json: JSON_FLAG, ...REMOTE },
  async run(call) {
    if (call.words.length > 0) throw new UsageError(`'${call.words[0]}' is one word too many`)
    const { ok: _ok, ...fields } = await callHub(readRemote(call), 'GET', '/api/v1/status')
    if (wantsJson(call)) printJson(fields)
    else for (const line of statusLines(fields)) print(line)
    return 0
  },
}

interface Partition {
  partition: number
  owner: string | null
  lag?: number
}

/** Whatever the hub says, in its order: a newer hub may say more. */
export function statusLines(fields: Readonly<Record<string, unknown>>): string[] {
  const { partitions, uptimeMs, ...rest } = fields
  const rows = Object.entries(rest).map(([name, value]) => [name, describe(value)])
  if (typeof uptimeMs === 'number') rows.push(['up for', duration(uptimeMs)])
  const lines = table(rows)
  if (!Array.isArray(partitions)) return lines
  const owned = (partitions as Partition[]).map(({ partition, owner, lag }) => [String(partition), owner ?? '(nobody)', lag === undefined ? '' : String(lag)])
  return [...lines, '', ...table([['PARTITION', 'OWNER', 'LAG'], ...owned])]
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return plain(String(value))
  return plain(Object.entries(value).map(([name, inner]) => `${name} ${typeof inner === 'object' ? JSON.stringify(inner) : String(inner)}`).join(', '))
}

function duration(ms: number): string {
  const said = unitsOf(ms).filter(([count]) => count > 0).slice(0, 2)
  return said.length > 0 ? said.map(([count, unit]) => `${count}${unit}`).join(' ') : '0s'
}
