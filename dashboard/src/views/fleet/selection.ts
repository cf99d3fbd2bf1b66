/** Which agents are shown, and in what order. Pure. */
import { cpuOf, memoryOf } from './figures'
import { plightOf, type AgentView, type Tasks } from './plight'

export const STATUSES = ['busy', 'idle', 'stalled', 'error', 'stale', 'offline', 'registered'] as const
const CHOICES = ['all', 'attention', ...STATUSES] as const
export type StatusChoice = (typeof CHOICES)[number]

export const SORTS = { attention: 'Needs attention', name: 'Name', type: 'Type', beat: 'Last beat', progress: 'Progress', cpu: 'CPU', memory: 'Memory' } as const
export type Sort = keyof typeof SORTS

export interface Selection {
  status: StatusChoice
  /** Of name, type, capability or task. */
  text: string
  sort: Sort
}

/** As the address says it. What it says of another view's list is none of these, and does nothing. */
export function selectionOf(choices: Readonly<URLSearchParams>): Selection {
  const status = choices.get('status')
  const sort = choices.get('sort')
  return { status: CHOICES.find((one) => one === status) ?? 'all', text: choices.get('text') ?? '', sort: sort !== null && Object.hasOwn(SORTS, sort) ? (sort as Sort) : 'attention' }
}

export function countsOf(agents: readonly AgentView[]): Readonly<Record<StatusChoice, number>> {
  const counts: Record<StatusChoice, number> = { all: agents.length, attention: 0, busy: 0, idle: 0, stalled: 0, error: 0, stale: 0, offline: 0, registered: 0 }
  for (const agent of agents) {
    counts[agent.status]++
    if (plightOf(agent)?.isUrgent) counts.attention++
  }
  return counts
}

export function select(agents: readonly AgentView[], tasks: Tasks, { status, text, sort }: Selection): readonly AgentView[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const chosen = agents.filter((agent) => {
    if (status === 'attention' ? !plightOf(agent)?.isUrgent : status !== 'all' && agent.status !== status) return false
    if (words.length === 0) return true
    const said = wordsOf(agent, tasks)
    return words.every((word) => said.includes(word))
  })
  const order = ORDERS[sort]
  return chosen.toSorted((a, b) => order(a, b, tasks) || byName(a, b))
}

function wordsOf(agent: AgentView, tasks: Tasks): string {
  return [agent.id, agent.agentType, ...agent.capabilities, ...agent.currentTasks.flatMap((id) => [id, tasks.get(id)?.title])].join('\n').toLowerCase()
}

type Order = (a: AgentView, b: AgentView, tasks: Tasks) => number

/** Busy and idle are one: cards must not jump whenever a task ends. */
const ORDERS: Readonly<Record<Sort, Order>> = {
  attention: (a, b) => rank(a) - rank(b),
  name: byName,
  type: (a, b) => (a.agentType ?? '').localeCompare(b.agentType ?? ''),
  beat: (a, b) => Date.parse(a.lastSeenAt) - Date.parse(b.lastSeenAt),
  progress: (a, b, tasks) => progressOf(b, tasks) - progressOf(a, tasks),
  cpu: (a, b) => (cpuOf(b.metrics) ?? -1) - (cpuOf(a.metrics) ?? -1),
  memory: (a, b) => (memoryOf(b.metrics) ?? -1) - (memoryOf(a.metrics) ?? -1),
}

const RANKS: Readonly<Record<string, number>> = { stalled: 0, error: 1, stale: 2, offline: 4 }

function rank(agent: AgentView): number {
  return RANKS[agent.status] ?? 3
}

function progressOf({ currentTasks }: AgentView, tasks: Tasks): number {
  return tasks.get(currentTasks[0] ?? '')?.progress ?? -1
}

const NAMES = new Intl.Collator('en', { numeric: true })

function byName(a: AgentView, b: AgentView): number {
  return NAMES.compare(a.id, b.id)
}
