import type { Identity } from '../../server/src/access/identity.js'
import { isOperator, may, needed } from '../../server/src/access/permissions.js'
import { isPermission, ROLE_PERMISSIONS } from '../../server/src/access/roles.js'

const identity = (permissions: readonly string[], rest: Partial<Identity> = {}): Identity => ({
  subject: 'coder-1',
  role: 'agent',
  project: 'default',
  projects: ['default'],
  permissions,
  via: 'jwt',
  ...rest,
})

describe('what an identity may do', () => {
  it('grants a requested pattern only if every topic that it could match is granted', () => {
    const one = identity(['subscribe:task:*'])
    for (const granted of ['task:*', 'task:a*', 'task:1', 'task:p1:stage:2']) expect([granted, may(one, 'subscribe', granted)]).toEqual([granted, true])
    for (const refused of ['*', 'agent:*', 'agent:1', 'system', 'project', 'inbox:*']) expect([refused, may(one, 'subscribe', refused)]).toEqual([refused, false])
    expect(may(identity(['subscribe:task:ab*']), 'subscribe', 'task:a*')).toBe(false)
    expect(may(identity(['subscribe:task:1']), 'subscribe', 'task:1*')).toBe(false)
    expect(may(identity(['subscribe:system']), 'subscribe', 'system')).toBe(true)
  })

  it('never takes a malformed pattern for granted', () => {
    for (const name of ['', '**', 'in*', 'inbox*', 'task', 'task:', 'tas*', 'nobody:1', 'task:a b']) {
      expect([name, may(identity(['subscribe:*', 'admin']), 'subscribe', name)]).toEqual([name, false])
    }
  })

  it('matches types for publish', () => {
    const one = identity(['publish:task.*', 'publish:agent.log'])
    expect(may(one, 'publish', 'task.progress')).toBe(true)
    expect(may(one, 'publish', 'agent.log')).toBe(true)
    expect(may(one, 'publish', 'agent.logs')).toBe(false)
    expect(may(one, 'publish', 'taskforce.made')).toBe(false)
    expect(may(one, 'subscribe', 'task:1')).toBe(false)
  })

  it('keeps signals, commands and subscriptions apart', () => {
    const one = identity(['signal:task:*', 'command:start_task'])
    expect(may(one, 'signal', 'task:1')).toBe(true)
    expect(may(one, 'subscribe', 'task:1')).toBe(false)
    expect(may(one, 'command', 'start_task')).toBe(true)
    expect(may(one, 'command', 'stop_task')).toBe(false)
    expect(may(one, 'admin')).toBe(false)
  })

  it('takes a grant of any spelling of a command, for giving and for handling it', () => {
    const one = identity(['command:create_branch', 'handle:git.*'])
    for (const name of ['create_branch', 'git.create_branch']) {
      expect([name, may(one, 'command', name), may(one, 'handle', name)]).toEqual([name, true, true])
    }
    expect(may(one, 'handle', 'docs.build')).toBe(false)
    expect(may(identity(['command:task.*']), 'command', 'start_task')).toBe(true)
    expect(may(identity(['command:*']), 'handle', 'start_task')).toBe(false)
    expect(may(identity(ROLE_PERMISSIONS.agent), 'handle', 'git.create_branch')).toBe(true)
    expect(may(identity(ROLE_PERMISSIONS.agent), 'command', 'git.create_branch')).toBe(false)
    expect(may(identity(ROLE_PERMISSIONS.viewer), 'handle', 'git.create_branch')).toBe(false)
    for (const permission of ['handle:*', 'handle:git.*', 'handle:create_branch']) expect([permission, isPermission(permission)]).toEqual([permission, true])
    for (const permission of ['handle:', 'handle:**', 'handle:task:1']) expect([permission, isPermission(permission)]).toEqual([permission, false])
  })

  it('lets only the agent itself and admins read mail', () => {
    const agent = identity(ROLE_PERMISSIONS.agent)
    expect(may(agent, 'subscribe', 'inbox:coder-1')).toBe(true)
    expect(may(agent, 'subscribe', 'inbox:coder-2')).toBe(false)
    expect(may(agent, 'subscribe', 'inbox:*')).toBe(false)
    expect(may(agent, 'subscribe', 'inbox:coder-1*')).toBe(false)
    expect(may(identity(['subscribe:inbox:*', 'subscribe:inbox:coder-2']), 'subscribe', 'inbox:coder-2')).toBe(false)
    expect(may(identity(ROLE_PERMISSIONS.viewer, { role: 'viewer' }), 'subscribe', 'inbox:coder-1')).toBe(false)
    expect(may(identity(['admin'], { role: 'admin' }), 'subscribe', 'inbox:*')).toBe(true)
  })

  it('does not let an agent whose name is a wildcard read mail by it', () => {
    const agent = identity(ROLE_PERMISSIONS.agent, { subject: 'coder*' })
    expect(may(agent, 'subscribe', 'inbox:coder*')).toBe(false)
    expect(may(identity(ROLE_PERMISSIONS.agent, { subject: '*' }), 'subscribe', 'inbox:*')).toBe(false)
  })

  it('names the permission that was missing', () => {
    expect(needed('subscribe', 'task:*')).toBe('subscribe:task:*')
    expect(needed('publish', 'task.progress')).toBe('publish:task.progress')
    expect(needed('subscribe', 'inbox:other')).toBe('admin')
    expect(needed('admin')).toBe('admin')
  })

  it('tells an admin of every project from an admin of some', () => {
    expect(isOperator(identity(['admin'], { projects: ['*'] }))).toBe(true)
    expect(isOperator(identity(['admin'], { projects: ['default'] }))).toBe(false)
    expect(isOperator(identity(['subscribe:*'], { projects: ['*'] }))).toBe(false)
  })
})

describe('the table of roles', () => {
  it('holds permissions of the grammar only', () => {
    for (const permission of Object.values(ROLE_PERMISSIONS).flat()) expect([permission, isPermission(permission)]).toEqual([permission, true])
  })

  it('gives a viewer no way to write, and an agent none to speak for the system', () => {
    const viewer = identity(ROLE_PERMISSIONS.viewer, { role: 'viewer' })
    expect(may(viewer, 'subscribe', '*')).toBe(true)
    expect(may(viewer, 'publish', 'task.progress')).toBe(false)
    expect(may(viewer, 'signal', 'task:1')).toBe(false)
    const agent = identity(ROLE_PERMISSIONS.agent)
    expect(may(agent, 'publish', 'custom.anything')).toBe(true)
    expect(may(agent, 'publish', 'system.alert')).toBe(false)
    expect(may(agent, 'publish', 'github.pr_updated')).toBe(false)
  })

  it('refuses what is not of the grammar', () => {
    for (const text of ['', 'read', 'subscribe', 'subscribe:', 'subscribe:nobody:1', 'publish:Task.*', 'publish:*.done', 'admin:*', 'write:*', 7, null]) {
      expect([text, isPermission(text)]).toEqual([text, false])
    }
  })
})
