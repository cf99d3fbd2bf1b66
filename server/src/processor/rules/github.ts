/**
 * GitHub's events about a task's work go to the task, too: to those that a trailer names, else those that know the commit, else the
 * pull request, else the branch. The surest alone: a commit on a shared branch is not every task's that ever worked there.
 */
import { refsOfGithub, type HubEvent } from '@hubbub/protocol'
import type { Rules, World } from './rule.js'

const MOST_TASKS = 8

export const GITHUB_RULES: Rules = {
  topics: {
    github: (event, world) => tasksOf(event, world).map((id) => `task:${id}`),
  },
}

function tasksOf(event: HubEvent, world: World): string[] {
  const named = namedTasks(event).filter((id) => world.get('task', id) !== undefined)
  if (named.length > 0) return named.slice(0, MOST_TASKS)
  const refs = refsOfGithub(event)
  for (const family of ['sha:', 'pr:', 'branch:']) {
    const knowing = refs.filter((ref) => ref.startsWith(family)).flatMap((ref) => world.tasksOf(ref))
    if (knowing.length > 0) return [...new Set(knowing)].slice(0, MOST_TASKS)
  }
  return []
}

/** A trailer may name anything: what is no task here is nothing. */
function namedTasks(event: HubEvent): string[] {
  const { taskIds } = (event.data ?? {}) as { taskIds?: unknown }
  return Array.isArray(taskIds) ? [...new Set(taskIds.filter((id) => typeof id === 'string'))].slice(0, MOST_TASKS) : []
}
