// Writes the documents' tables from the code that they describe, between their `<!-- name:start -->` and `<!-- name:end -->` markers.
// `--check` changes nothing and exits with 1 when a table is not what the code says. Needs a build.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { ALIASES, FAILURES } from '../shared/dist/index.js'
import { CATALOGUE } from '../shared/dist/catalogue/index.js'
import { describeAllowed } from '../server/dist/settings/read.js'
import { SETTINGS } from '../server/dist/settings/table.js'

const root = new URL('../', import.meta.url)

const TABLES = {
  'PROTOCOL.md': { events: eventTables, failures: failureTable, aliases: aliasTable },
  'CONFIGURATION.md': { settings: settingTable },
}

const check = process.argv.includes('--check')
let stale = 0
for (const [file, tables] of Object.entries(TABLES)) {
  const url = new URL(file, root)
  if (!existsSync(url)) {
    console.log(`${file}: not there, left out`)
    continue
  }
  const before = readFileSync(url, 'utf8')
  let after = before
  for (const [name, table] of Object.entries(tables)) after = replaced(file, after, name, table())
  if (after === before) continue
  stale++
  if (!check) writeFileSync(url, after)
  console.log(`${file}: ${check ? 'differs from the code; run `npm run build && node scripts/docs-tables.mjs`' : 'written'}`)
}
process.exitCode = check && stale > 0 ? 1 : 0

function replaced(file, text, name, table) {
  const start = `<!-- ${name}:start -->`
  const end = `<!-- ${name}:end -->`
  const from = text.indexOf(start)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`${file}: the markers ${start} and ${end} are missing`)
  return `${text.slice(0, from)}${start}\n\n${table}\n\n${text.slice(to)}`
}

/** A heading and a table for each family. Optional fields end in `?`. */
function eventTables() {
  const families = new Map()
  for (const entry of CATALOGUE) families.set(entry.family, [...(families.get(entry.family) ?? []), entry])
  return [...families].map(([family, entries]) => `#### \`${family}.*\`\n\n${rows(['Type', 'Meaning', 'Data', 'Topics'], entries.map(eventRow))}`).join('\n\n')
}

function eventRow(entry) {
  const fields = entry.fields.map((field) => `\`${field.name}${field.required ? '' : '?'}\` ${field.type}`).join(', ')
  const about = entry.by === 'hub' ? `${entry.about} Published by the hub only.` : entry.about
  return [`\`${entry.type}\``, about, fields || 'any JSON', entry.topics.map((topic) => `\`${topic}\``).join(', ')]
}

function failureTable() {
  const kinds = Object.entries(FAILURES)
  return rows(['Code', 'Meaning', 'Remedy', 'Retry', 'HTTP', 'Connection'], kinds.map(([code, kind]) => [
    `\`${code}\``, kind.meaning, kind.remedy, kind.retryable ? 'yes' : 'no', String(kind.status), kind.close,
  ]))
}

function aliasTable() {
  const names = new Map()
  for (const [alias, type] of Object.entries(ALIASES)) names.set(type, [...(names.get(type) ?? []), alias])
  names.set('pipeline.<name>', ['pipeline:<name>'])
  return rows(['Type', 'Also taken'], [...names].map(([type, aliases]) => [`\`${type}\``, aliases.map((alias) => `\`${alias}\``).join(', ')]))
}

function settingTable() {
  return rows(['Variable', 'Flag', 'Default', 'Unit', 'Allowed', 'Meaning'], Object.values(SETTINGS).map((setting) => [
    `\`${setting.env}\``, setting.flag ? `\`--${setting.flag}\`` : '', setting.default === '' ? 'unset' : `\`${setting.default}\``, setting.unit ?? '',
    describeAllowed(setting), setting.about,
  ]))
}

function rows(head, body) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n')
}
