import { ROLES } from '../access/identity.js'
import { signToken } from '../access/tokens.js'
import { readSettings, SettingError } from '../settings/read.js'
import { UsageError, type Command } from './arguments.js'
import { JSON_FLAG, print, printJson } from './print.js'

export const token: Command = {
  usage: 'token --sub ID [--role viewer|agent|service|admin] [--project P] [--ttl 1h]',
  about: 'Signs a token with HUBBUB_JWT_SECRET, the hub\'s own, and prints it.',
  flags: {
    sub: { value: 'ID', env: 'HUBBUB_SUB', about: 'Whose token: an agent\'s speaks for that agent only.' },
    role: { value: 'ROLE', env: 'HUBBUB_TOKEN_ROLE', default: 'viewer', about: `One of ${ROLES.join(', ')}.` },
    project: { value: 'P', env: 'HUBBUB_PROJECT', isList: true, about: 'Granted projects, comma-separated; `*` is every project. Default: `default`; of an admin `*`, for dead letters and lag are of no one project.' },
    permissions: { value: 'LIST', env: 'HUBBUB_PERMISSIONS', isList: true, about: 'Exactly these (`subscribe:task:*,publish:agent.*`), instead of the role\'s.' },
    ttl: { value: 'TIME', env: 'HUBBUB_TTL', default: '1h', about: 'Until it ends: 90s, 15m, 1h, 30d.' },
    json: { ...JSON_FLAG, about: 'As JSON, with what it grants; otherwise the bare token, also in a pipe.' },
  },
  // oxlint-disable-next-line require-await
  async run(call) {
    if (call.words.length > 0) throw new UsageError(`'${call.words[0]}' is one word too many`)
    const sub = call.required('sub')
    const { jwtSecret, jwtIssuer, jwtAudience } = readSettings(call.env)
    if (jwtSecret === '') throw new SettingError('HUBBUB_JWT_SECRET: unset; allowed: the hub\'s secret, at least 32 characters')
    const role = call.required('role')
    const projects = call.list('project') ?? [role === 'admin' ? '*' : 'default']
    const permissions = call.list('permissions')
    const claims = {
      sub,
      role,
      projects,
      ...(permissions && { permissions }),
      // A hub that asks for them would refuse its own tokens otherwise.
      ...(jwtIssuer && { iss: jwtIssuer }),
      ...(jwtAudience && { aud: jwtAudience }),
    }
    const signed = signToken(jwtSecret, claims, call.required('ttl'))
    if (call.on('json')) printJson({ token: signed, ...claims })
    else print(signed)
    return 0
  },
}
