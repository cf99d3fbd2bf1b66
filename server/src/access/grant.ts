/** What a credential grants, before a project was chosen: checked the same way for tokens and API keys. */
import { isProject } from '@hubbub/protocol'
import type { Identity, Role } from './identity.js'
import { DEFAULT_PROJECT } from './projects.js'
import { isPermission, isRole, ROLE_PERMISSIONS } from './roles.js'

export type Grant = Omit<Identity, 'project'>

export interface GrantFields {
  subject: string
  role: Role
  projects: string[]
  /** The credential's own; absent: the role's. */
  permissions?: string[]
}

/** Fields as a stranger wrote them, under our names; `problem` names the first that is wrong. */
export function readGrant(fields: { [F in keyof GrantFields]?: unknown }): GrantFields | { problem: string } {
  const { subject, role = 'viewer', projects = DEFAULT_PROJECT, permissions } = fields
  if (!isSubject(subject)) return { problem: 'the subject is not 1 to 128 characters without white space' }
  if (!isRole(role)) return { problem: 'the role is not one of viewer, agent, service, admin' }
  const list = textList(projects)
  if (!list?.length || !list.every((project) => project === '*' || isProject(project))) return { problem: 'a project is not a project name or *' }
  const grant: GrantFields = { subject, role, projects: [...new Set(list)] }
  if (permissions === undefined) return grant
  const own = textList(permissions)
  if (!own?.every(isPermission)) return { problem: 'a permission is not of the form action:pattern' }
  return { ...grant, permissions: own }
}

export function permissionsOf(grant: GrantFields): readonly string[] {
  return grant.permissions ?? ROLE_PERMISSIONS[grant.role]
}

/** No control characters, and no lone surrogates: they cannot stand in a URI (`sourceOf`). */
export function isSubject(text: unknown): text is string {
  return typeof text === 'string' && /^[^\s\p{Cc}\p{Cs}]{1,128}$/u.test(text)
}

/** One text or a list of texts as a list; undefined for anything else. */
export function textList(value: unknown): string[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.every((item) => typeof item === 'string') ? list : undefined
}
