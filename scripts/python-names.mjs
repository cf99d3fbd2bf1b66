/**
 * Writes the names that the Python package shares with the hub, `client-sdk/python/src/hubbub/_names.py`: event types, aliases, failures,
 * messages, topic families. `--check` changes nothing and exits with 1 when the file is not what the code says. Needs a build.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { ALIASES, BARE_TOPICS, CLIENT_MESSAGES, COMMAND_ALIASES, FAILURES, HUB_MESSAGES, MESSAGE_ALIASES, TOPIC_FAMILIES } from '../shared/dist/index.js'
import { CATALOGUE } from '../shared/dist/catalogue/index.js'

const FILE = 'client-sdk/python/src/hubbub/_names.py'
const url = new URL(`../${FILE}`, import.meta.url)

const types = CATALOGUE.map(({ type }) => type).filter((type) => !type.includes('{'))
const after = [
  '"""The hub\'s names. Written from `shared/` by `npm run docs`; changes go there."""',
  '',
  'from __future__ import annotations',
  '',
  'from dataclasses import dataclass',
  'from typing import Literal',
  '',
  '# Besides these: `custom.<name>`, and `pipeline.<name>` for whatever else a workflow engine reports.',
  ...literal('EventType', types),
  ...tuple('EVENT_TYPES', 'EventType', types),
  '# Older names of event types. `pipeline:<name>` is `pipeline.<name>`.',
  ...dictionary('ALIASES', 'str', ALIASES),
  ...dictionary('MESSAGE_ALIASES', 'str', MESSAGE_ALIASES),
  ...dictionary('COMMAND_ALIASES', 'str', COMMAND_ALIASES),
  ...literal('ClientMessage', CLIENT_MESSAGES),
  ...tuple('CLIENT_MESSAGES', 'ClientMessage', CLIENT_MESSAGES),
  ...literal('HubMessage', HUB_MESSAGES),
  ...tuple('HUB_MESSAGES', 'HubMessage', HUB_MESSAGES),
  ...tuple('TOPIC_FAMILIES', 'str', TOPIC_FAMILIES),
  ...tuple('BARE_TOPICS', 'str', BARE_TOPICS),
  ...literal('FailureCode', Object.keys(FAILURES)),
  ...failures(),
].join('\n')

const before = existsSync(url) ? readFileSync(url, 'utf8') : ''
if (after !== before) {
  const check = process.argv.includes('--check')
  if (!check) writeFileSync(url, after)
  console.log(`${FILE}: ${check ? 'differs from the code; run `npm run docs`' : 'written'}`)
  if (check) process.exitCode = 1
}

function literal(name, values) {
  return [`${name} = Literal[`, ...values.map((value) => `    ${text(value)},`), ']', '']
}

function tuple(name, type, values) {
  return [`${name}: tuple[${type}, ...] = (`, ...values.map((value) => `    ${text(value)},`), ')', '']
}

function dictionary(name, type, table) {
  return [`${name}: dict[str, ${type}] = {`, ...Object.entries(table).map(([key, value]) => `    ${text(key)}: ${text(value)},`), '}', '']
}

function failures() {
  const rows = Object.entries(FAILURES).flatMap(([code, { meaning, remedy, retryable, status, close }]) => [
    `    ${text(code)}: Failure(`,
    `        ${text(meaning)},`,
    `        ${text(remedy)},`,
    `        retryable=${retryable ? 'True' : 'False'}, status=${status}, close=${text(close)},`,
    '    ),',
  ])
  return [
    '',
    '@dataclass(frozen=True)',
    'class Failure:',
    '    """`close`: `stay`, `refuse` (the handshake fails) or `end` (the connection is closed, and coming back so is pointless)."""',
    '',
    '    meaning: str',
    '    remedy: str',
    '    retryable: bool',
    '    status: int',
    '    close: Literal["stay", "refuse", "end"]',
    '',
    '',
    'FAILURES: dict[str, Failure] = {',
    ...rows,
    '}',
    '',
  ]
}

/** JSON's escapes mean the same in Python. */
function text(value) {
  return JSON.stringify(value)
}
