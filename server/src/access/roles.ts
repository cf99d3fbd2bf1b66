/**
 * Role shorthands. A credential without `permissions` of its own gets its role's; one that lists permissions has exactly
 * those, and its role then only says how it is named (`sourceOf`) and that an agent speaks for its own id.
 *
 * A permission is `action:pattern`, or `admin` alone (everything, inside the credential's projects):
 *
 * | action    | pattern                                                         | allows                                   |
 * | --------- | --------------------------------------------------------------- | ---------------------------------------- |
 * | subscribe | topic pattern: `*`, `task:*`, `task:ab*`, `task:1`, `system`     | live events, replay and history alike    |
 * | publish   | type pattern: `*`, `task.*`, `task.progress`                     | handing in events of those types         |
 * | signal    | topic pattern                                                   | messages to whoever is connected now     |
 * | command   | command name or pattern: `*`, `git.*`, `start_task`              | giving commands                          |
 * | handle    | the same                                                        | carrying them out                        |
 *
 * Mail is outside of the table: `inbox:X` is for the agent X (role `agent`, subject `X`) and admins, whatever else is granted.
 */
import { isTopicPattern, isTypePattern } from '@hubbub/protocol'
import { ROLES, type Role } from './identity.js'

export const ACTIONS = ['subscribe', 'publish', 'signal', 'command', 'handle'] as const
export type Action = (typeof ACTIONS)[number] | 'admin'

const AGENT_FAMILIES = ['agent', 'task', 'tdd', 'agui', 'checkpoint', 'pipeline', 'stream', 'gate', 'signal', 'custom'] as const

export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly string[]>> = {
  viewer: ['subscribe:*'],
  agent: ['subscribe:*', ...AGENT_FAMILIES.map((family) => `publish:${family}.*`), 'signal:*', 'handle:*'],
  service: ['subscribe:*', 'publish:*', 'signal:*', 'command:*', 'handle:*'],
  admin: ['admin'],
}

export function isRole(text: unknown): text is Role {
  return typeof text === 'string' && (ROLES as readonly string[]).includes(text)
}

/** Whether the text follows the grammar above. */
export function isPermission(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > 300) return false
  if (text === 'admin') return true
  const colon = text.indexOf(':')
  const action = text.slice(0, colon)
  const pattern = text.slice(colon + 1)
  switch (action) {
    case 'subscribe':
    case 'signal':
      return isTopicPattern(pattern)
    case 'publish':
    case 'command':
    case 'handle':
      return isTypePattern(pattern)
    default:
      return false
  }
}
