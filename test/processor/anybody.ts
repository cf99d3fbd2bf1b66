/** People of a project who do anything, by seed; and who behave at the end, so that all work gets done. */
import { isFinished, type HubEvent, type Task } from '@hubbub/protocol'
import { stored } from './inspection.js'
import type { Data, Shop } from './shop.js'

export const AGENTS = ['a0', 'a1', 'a2', 'a3']
export const SKILLS = ['x', 'y']
export const QUICK = {
  acceptMs: 60, retryMs: 5, retryMostMs: 20, taskTries: 1000, taskLeaseMs: 80, cancelMs: 50, staleMs: 200, offlineMs: 300, heartbeatMs: 50, forgetMs: 600, stalledMs: 100, leaseMs: 60_000,
  leaseRenewMs: 20_000, maxTopics: 50,
}

export function chance(seed: number) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n: number) => Math.floor(next() * n)
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)]!, is: (share: number) => next() < share }
}

export type Chance = ReturnType<typeof chance>

/** One thing that somebody does; refusals are the hub's right. */
export function act(shop: Shop, by: Chance, tasks: readonly Task[], count: number): Promise<unknown> {
  const some = by.of(['order', 'order', 'agent', 'agent', 'agent', 'agent', 'agent', 'agent', 'beat', 'beat', 'hire', 'connect', 'cancel', 'delete', 'update', 'observe', 'observe', 'status'])
  const agent = by.of(AGENTS)
  const task = tasks.length > 0 ? by.of(tasks) : undefined
  const place = by.is(0.15) ? { pipelineId: `p${by.below(2)}` } : by.is(0.15) ? { streamId: `s${by.below(2)}` } : {}
  switch (some) {
    case 'order': {
      const deps = Array.from({ length: by.below(3) }, () => (by.is(0.15) ? `o${by.below(3)}` : `t${by.below(count + 6)}`))
      return shop.order(`t${by.is(0.8) ? count : by.below(count + 1)}`, {
        ...(by.is(0.5) ? { dependsOn: deps } : {}), ...(by.is(0.4) ? { requires: [by.of(SKILLS)] } : {}), ...(by.is(0.5) ? { pipelineId: `p${by.below(2)}`, stage: by.below(2) } : {}),
        ...(by.is(0.4) ? { streamId: `s${by.below(2)}` } : {}), ...(by.is(0.2) ? { priority: by.below(5) } : {}), ...(by.is(0.15) ? { assignedAgent: agent } : {}),
        ...(by.is(0.1) ? { deadline: new Date(Date.now() + by.below(300)).toISOString() } : {}),
      })
    }
    case 'agent': {
      const held = tasks.filter(({ managed, agentId, status }) => managed && agentId !== undefined && !isFinished({ status }))
      if (held.length === 0) return Promise.resolve()
      const { id: taskId, agentId, leaseToken } = by.of(held)
      const who = by.is(0.9) ? agentId! : agent
      const token = by.is(0.5) ? { leaseToken: by.is(0.9) ? leaseToken : '1.old' } : {}
      const type = by.of(['task.accepted', 'task.accepted', 'task.accepted', 'task.progress', 'task.started', 'task.paused', 'task.blocked', 'task.rejected', 'task.result', 'task.result', 'task.completed', 'task.failed', 'task.cancelled'])
      return shop.say(who, type, { taskId, ...token, ...(type === 'task.progress' ? { progress: by.below(100) } : {}), ...place })
    }
    case 'beat':
      return shop.say(agent, 'agent.heartbeat', by.is(0.5) ? {} : { currentTasks: tasks.filter(({ agentId }) => agentId === agent && by.is(0.7)).map(({ id }) => id) })
    case 'hire':
      return shop.hire(agent, { capabilities: SKILLS.filter(() => by.is(0.6)), maxTasks: 1 + by.below(3) })
    case 'connect':
      return shop.say('hub', by.is(0.6) ? 'connection.opened' : 'connection.closed', { connectionId: `c${by.below(2)}`, agentId: agent })
    case 'cancel':
      return task?.managed && by.is(0.5) ? shop.say('hub', 'task.cancel_requested', { taskId: task.id }) : Promise.resolve()
    case 'delete':
      return task?.managed && by.is(0.4) ? shop.say('hub', 'task.forgotten', { taskId: task.id, reason: 'deleted' }) : Promise.resolve()
    case 'update':
      return task ? shop.say('service:planner', 'task.updated', { taskId: task.id, changes: [by.of([{ field: 'priority', newValue: by.below(9) }, { field: 'requires', newValue: [by.of(SKILLS)] }, { field: 'deadline', newValue: by.of(['soon', '2090-01-01T00:00:00Z']) }])] }) : Promise.resolve()
    case 'observe': {
      const type = by.of(['task.created', 'task.started', 'task.progress', 'task.completed', 'task.failed', 'task.status_changed', 'task.blocked'])
      const more: Data = type === 'task.progress' ? { progress: 5 } : type === 'task.status_changed' ? { newStatus: by.of(['in_progress', 'pending', 'completed']) } : type === 'task.created' && by.is(0.3) ? { dependsOn: [`t${by.below(count + 1)}`] } : {}
      return shop.say('service:ci', type, { taskId: `o${by.below(3)}`, ...more, ...place })
    }
    default:
      return shop.say(agent, 'agent.status_changed', { agentId: agent, status: by.of(['idle', 'error', 'offline', 'stalled']) })
  }
}

export const tasksOf = async (shop: Shop) => (await stored(shop.stage.store)).filter(({ kind }) => kind === 'task') as unknown as Task[]

/** Everybody behaves: whatever is not finished now gets done. */
export async function finishAll(shop: Shop): Promise<Task[]> {
  const until = Date.now() + 12_000
  for (;;) {
    for (const agent of [...AGENTS, 'all']) {
      await shop.say('hub', 'connection.opened', { connectionId: `end-${agent}`, agentId: agent })
      await shop.hire(agent, { capabilities: SKILLS, maxTasks: 5 })
    }
    const tasks = await tasksOf(shop)
    const open = tasks.filter((task) => task.managed && !isFinished(task))
    if (open.length === 0 || Date.now() > until) return open
    const wanted = new Set(open.flatMap(({ dependsOn = [] }) => dependsOn))
    for (const id of wanted) {
      const known = tasks.find((task) => task.id === id)
      if (!known && id.startsWith('t')) await shop.order(id).catch(() => undefined)
      if (id.startsWith('o') && known?.status !== 'completed') await shop.say('service:ci', 'task.completed', { taskId: id })
    }
    await Promise.allSettled(
      open.filter(({ leaseToken }) => leaseToken !== undefined).map(async ({ id: taskId, agentId, leaseToken, status }) => {
        if (status === 'delegated') await shop.say(agentId!, 'task.accepted', { taskId, leaseToken })
        await shop.say(agentId!, 'task.result', { taskId, leaseToken, result: 1 })
      }),
    )
  }
}

/** What was deleted after its end stays in the figures. */
export function groupsOfDeleted(journal: readonly HubEvent[]): Set<string> {
  const deleted = new Set(journal.filter(({ type }) => type === 'task.forgotten').map(({ data }) => (data as { taskId: string }).taskId))
  const groups = new Set<string>()
  for (const { data } of journal) {
    const { taskId, pipelineId, streamId } = (data ?? {}) as Record<string, string>
    if (taskId !== undefined && deleted.has(taskId)) for (const group of [pipelineId, streamId]) if (group !== undefined) groups.add(group)
  }
  return groups
}
