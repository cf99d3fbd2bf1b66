/** Which project a credential acts in. */
import { HubError, isProject } from '@hubbub/protocol'

export const DEFAULT_PROJECT = 'default'

/** `*` among the granted is every project. */
export function grantsProject(projects: readonly string[], project: string): boolean {
  return isProject(project) && (projects.includes('*') || projects.includes(project))
}

/**
 * The project that was asked for, if granted; else the only one, `default` if granted, or the first.
 * Throws WRONG_PROJECT, the same for a project that exists and one that does not (I6).
 */
export function chooseProject(projects: readonly string[], asked?: string): string {
  if (asked !== undefined) {
    if (grantsProject(projects, asked)) return asked
    throw new HubError('WRONG_PROJECT')
  }
  if (grantsProject(projects, DEFAULT_PROJECT)) return DEFAULT_PROJECT
  const [first] = projects
  if (first === undefined) throw new HubError('WRONG_PROJECT')
  return first
}
