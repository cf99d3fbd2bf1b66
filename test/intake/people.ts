import type { Identity, Role } from '../../server/src/access/identity.js'

function person(role: Role, subject: string, project = 'default', permissions: readonly string[] = ['publish:*']): Identity {
  return { subject, role, project, projects: [project], permissions, via: 'jwt' }
}

export const coder = person('agent', 'coder')
export const reviewer = person('agent', 'reviewer')
export const engine = person('service', 'engine')
export const operator = person('admin', 'operator', 'default', ['admin'])
export const viewer = person('viewer', 'watcher', 'default', ['subscribe:*'])
