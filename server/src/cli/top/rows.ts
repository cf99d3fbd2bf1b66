/** The table: agents with what they do, or tasks with who does them. */
import type { EntityView } from '@hubbub/client'
import { plain } from '../print.js'
import { ago, bytes, percent } from '../terminal/figures.js'
import { bar, fit, paint, styleOf, type Ink } from '../terminal/paint.js'
import type { Fleet } from './model.js'

export interface Row {
  id: string
  kind: 'agent' | 'task'
  /** What the filter looks through. */
  words: string
  draw: (columns: number, ink: Ink) => string
}

export const SORTS = { agents: ['status', 'name', 'beat', 'cpu', 'memory'], tasks: ['status', 'name', 'progress', 'updated'] } as const
export type Page = keyof typeof SORTS

/** What needs somebody first. */
const URGENCY = ['error', 'failed', 'stalled', 'blocked', 'stale', 'paused', 'in_progress', 'busy', 'accepted', 'delegated', 'pending', 'idle', 'registered', 'completed', 'cancelled', 'offline']
const BAR_COLUMNS = 12

export function rowsOf(fleet: Fleet, page: Page, sort: string): Row[] {
  return page === 'agents' ? agentRows(fleet, sort) : taskRows(fleet, sort)
}

export function headingOf(page: Page, columns: number): string {
  return page === 'agents'
    ? agentLine(['AGENT', 'TYPE', 'STATUS', 'TASK', 'PROGRESS', 'CPU', 'MEMORY', 'BEAT'], columns)
    : taskLine(['TASK', 'STATUS', 'AGENT', 'PROGRESS', 'TRIES', 'UPDATED', 'TITLE'], columns)
}

function agentRows(fleet: Fleet, sort: string): Row[] {
  const order: Record<string, (a: EntityView<'agent'>, b: EntityView<'agent'>) => number> = {
    status: (a, b) => urgency(a.status) - urgency(b.status),
    beat: (a, b) => b.lastSeenAt.localeCompare(a.lastSeenAt),
    cpu: (a, b) => figure(b, 'cpuUsage') - figure(a, 'cpuUsage'),
    memory: (a, b) => figure(b, 'memoryUsage') - figure(a, 'memoryUsage'),
  }
  return fleet.agents.toSorted((a, b) => (order[sort]?.(a, b) ?? 0) || a.id.localeCompare(b.id)).map((agent): Row => {
    const task = agent.currentTasks.map((id) => fleet.task(id)).find((one) => one !== undefined)
    const taskName = task?.title ?? agent.currentTasks[0] ?? ''
    return {
      id: agent.id,
      kind: 'agent',
      words: `${agent.id} ${agent.agentType ?? ''} ${agent.status} ${agent.capabilities.join(' ')} ${taskName}`.toLowerCase(),
      draw(columns, ink) {
        const progress = task?.progress === undefined ? '' : `${bar(task.progress / 100, BAR_COLUMNS - 5)} ${percent(task.progress)}`
        const cells = [plain(agent.id), plain(agent.agentType ?? ''), agent.status, plain(taskName), progress, percent(agent.metrics?.['cpuUsage']), bytes(numberOf(agent.metrics?.['memoryUsage'])), ago(agent.lastSeenAt)]
        return agentLine(cells, columns, (cell) => paint(cell, styleOf(agent.status), ink))
      },
    }
  })
}

function taskRows(fleet: Fleet, sort: string): Row[] {
  const order: Record<string, (a: EntityView<'task'>, b: EntityView<'task'>) => number> = {
    status: (a, b) => urgency(a.status) - urgency(b.status) || b.updatedAt.localeCompare(a.updatedAt),
    progress: (a, b) => (b.progress ?? -1) - (a.progress ?? -1),
    updated: (a, b) => b.updatedAt.localeCompare(a.updatedAt),
  }
  return fleet.tasks.toSorted((a, b) => (order[sort]?.(a, b) ?? 0) || a.id.localeCompare(b.id)).map((task): Row => ({
    id: task.id,
    kind: 'task',
    words: `${task.id} ${task.title ?? ''} ${task.status} ${task.agentId ?? ''} ${task.pipelineId ?? ''}`.toLowerCase(),
    draw(columns, ink) {
      const progress = task.progress === undefined ? '' : `${bar(task.progress / 100, BAR_COLUMNS - 5)} ${percent(task.progress)}`
      const cells = [plain(task.id), task.status, plain(task.agentId ?? ''), progress, String(task.attempt), ago(task.updatedAt), plain(task.title ?? '')]
      return taskLine(cells, columns, (cell) => paint(cell, styleOf(task.status), ink))
    },
  }))
}

/** @param inked the status in its colour: where colours are off the word is there all the same */
function agentLine([id, type, status, task, progress, cpu, memory, beat]: string[], columns: number, inked = (cell: string) => cell): string {
  const fixed = 1 + 12 + 1 + 10 + 1 + BAR_COLUMNS + 1 + 6 + 1 + 8 + 1 + 10
  const free = Math.max(16, columns - fixed - 2)
  const wide = Math.floor(free * 0.45)
  return ` ${fit(id!, wide)} ${fit(type!, 12)} ${inked(fit(status!, 10))} ${fit(task!, free - wide)} ${inked(fit(progress!, BAR_COLUMNS))} ${fit(cpu!, 6, 'right')} ${fit(memory!, 8, 'right')} ${fit(beat!, 10, 'right')}`
}

function taskLine([id, status, agent, progress, tries, updated, title]: string[], columns: number, inked = (cell: string) => cell): string {
  const fixed = 1 + 12 + 1 + BAR_COLUMNS + 1 + 6 + 1 + 11
  const free = Math.max(24, columns - fixed - 4)
  const third = Math.floor(free / 3)
  return ` ${fit(id!, third)} ${inked(fit(status!, 12))} ${fit(agent!, third)} ${inked(fit(progress!, BAR_COLUMNS))} ${fit(tries!, 6, 'right')} ${fit(updated!, 11, 'right')} ${fit(title!, free - 2 * third)}`
}

function urgency(status: string): number {
  const place = URGENCY.indexOf(status)
  return place < 0 ? URGENCY.length : place
}

function figure(agent: EntityView<'agent'>, name: string): number {
  return numberOf(agent.metrics?.[name]) ?? -1
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
