/** What an identity may do. Projects are checked before (`chooseProject`): an identity acts in exactly one. */
import { commandNames, isTopic, isTopicPattern, topicFamily, typeMatches } from '@hubbub/protocol'
import type { Identity } from './identity.js'
import type { Action } from './roles.js'

/**
 * `name` is an event type for `publish`, a topic or topic pattern for `subscribe` and `signal`, a command's name for
 * `command` and `handle`, of which a grant of any spelling counts; `admin` needs none. False for whatever is not of the grammar.
 */
export function may(identity: Identity, action: Action, name = ''): boolean {
  const admin = isAdmin(identity)
  switch (action) {
    case 'admin':
      return admin
    case 'publish':
      return admin || granted(identity, action, (pattern) => typeMatches(pattern, name))
    case 'command':
    case 'handle':
      return admin || granted(identity, action, (pattern) => commandNames(name).some((spelling) => typeMatches(pattern, spelling)))
    case 'subscribe':
    case 'signal':
      if (!isTopicPattern(name)) return false
      if (admin) return true
      if (topicFamily(name) === 'inbox') return ownInbox(identity, name)
      return granted(identity, action, (pattern) => covers(pattern, name))
  }
}

/** The permission that was missing, for `details.needed`. */
export function needed(action: Action, name = ''): string {
  const mail = (action === 'subscribe' || action === 'signal') && topicFamily(name) === 'inbox'
  return action === 'admin' || mail ? 'admin' : `${action}:${name}`
}

export function isAdmin(identity: Identity): boolean {
  return identity.permissions.includes('admin')
}

/** Admin of every project: may see and do what is not any one project's (I6). */
export function isOperator(identity: Identity): boolean {
  return isAdmin(identity) && identity.projects.includes('*')
}

/** I6: only a concrete topic counts. A subject may contain `*`, and must not thereby read other agents' mail. */
function ownInbox(identity: Identity, topic: string): boolean {
  return identity.role === 'agent' && isTopic(topic) && topic === `inbox:${identity.subject}`
}

/** A requested pattern is granted only if every topic that it could match is: `task:*` covers `task:a*`, never `*`. */
function covers(grant: string, requested: string): boolean {
  if (grant === requested || grant === '*') return true
  if (!grant.endsWith('*')) return false
  const stem = requested.endsWith('*') ? requested.slice(0, -1) : requested
  return stem.startsWith(grant.slice(0, -1))
}

function granted(identity: Identity, action: Action, matches: (pattern: string) => boolean): boolean {
  const prefix = `${action}:`
  return identity.permissions.some((permission) => permission.startsWith(prefix) && matches(permission.slice(prefix.length)))
}
