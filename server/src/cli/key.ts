import { ROLES } from '../access/identity.js'
import type { ApiKey } from '../access/keys.js'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { clock, JSON_FLAG, note, plain, print, printJson, table, wantsJson } from './print.js'
import { callHub } from './remote.js'

export const key: Command = {
  usage: 'key create --sub ID [--role ROLE] [--grant P] | key list | key revoke ID',
  about: 'API keys: made, listed and revoked. Needs an admin\'s token.',
  flags: {
    sub: { value: 'ID', env: 'HUBBUB_SUB', about: 'create: whose key.' },
    role: { value: 'ROLE', env: 'HUBBUB_KEY_ROLE', default: 'viewer', about: `create: one of ${ROLES.join(', ')}.` },
    grant: { value: 'P', env: 'HUBBUB_KEY_PROJECTS', isList: true, about: 'create: granted projects, comma-separated; default that of your token.' },
    permissions: { value: 'LIST', env: 'HUBBUB_PERMISSIONS', isList: true, about: 'create: exactly these, instead of the role\'s.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    const [action, id, ...rest] = call.words
    if (rest.length > 0 || (id !== undefined && action !== 'revoke')) throw new UsageError(`'${rest[0] ?? id}' is one word too many`)
    if (action === 'create') return await create(call)
    if (action === 'list') return await list(call)
    if (action === 'revoke') return await revoke(call, id)
    throw new UsageError(`key: '${action ?? ''}' is not allowed; allowed: create, list, revoke`)
  },
}

async function create(call: Call): Promise<number> {
  const projects = call.list('grant')
  const permissions = call.list('permissions')
  const body = { subject: call.required('sub'), role: call.required('role'), ...(projects && { projects }), ...(permissions && { permissions }) }
  const answer = await callHub(readRemote(call), 'POST', '/api/v1/keys', body)
  if (call.on('json')) printJson(answer)
  else {
    print(String(answer['key']))
    note('This is shown once: the hub keeps only its hash.')
  }
  return 0
}

async function list(call: Call): Promise<number> {
  const keys = (await callHub(readRemote(call), 'GET', '/api/v1/keys'))['keys'] as ApiKey[]
  if (wantsJson(call)) for (const one of keys) printJson(one)
  else {
    const rows = keys.map(({ id, subject, role, projects, createdAt, revokedAt }) => [id, plain(subject), role, projects.join(','), clock(createdAt), revokedAt ? `revoked ${clock(revokedAt)}` : ''])
    for (const line of table([['ID', 'SUBJECT', 'ROLE', 'PROJECTS', 'CREATED (UTC)', ''], ...rows])) print(line)
  }
  return 0
}

async function revoke(call: Call, id: string | undefined): Promise<number> {
  if (id === undefined) throw new UsageError('key revoke: ID is missing; `hubbub key list` shows it')
  const answer = await callHub(readRemote(call), 'DELETE', `/api/v1/keys/${encodeURIComponent(id)}`)
  if (wantsJson(call)) printJson(answer)
  else print(`revoked: ${id}`)
  return 0
}
