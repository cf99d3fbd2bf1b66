/** Two projects that share everything that can be shared: the hub, the ids of their agents, tasks and events, and, if asked for, the partition. */
import { partitionOf, type Answer, type PublishResult } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import type { Cluster } from '../harness/cluster.js'
import { tap, type StockOptions, type Tap } from '../harness/tap.js'
import { token, type Claims } from '../harness/token.js'
import { sign } from './deliveries.js'
import type { RawRedis } from './rawRedis.js'

export const PARTITIONS = 2

/** Project names, each partition's in a list of its own; none is part of another. */
export function projectNames(count: number): [string[], string[]] {
  const lists: [string[], string[]] = [[], []]
  for (let at = 100; lists.some((list) => list.length < count); at++) lists[partitionOf(`tenant${at}`, PARTITIONS) as 0 | 1].push(`tenant${at}`)
  return lists
}

export const secretOf = (project: string) => `webhook secret of ${project}`

/** One of the two: its people are called like those of the other. */
export interface Tenant {
  project: string
  partition: number
  /** Stands in the data of all its events. */
  mark: string
  tokenOf(sub: string, role: Claims['role']): string
  /** An agent on the first worker with every kind of subscription, a viewer and an admin on the second. */
  coder: Tap
  watcher: Tap
  boss: Tap
  everybody: Tap[]
  connect(worker: number, sub: string, role: Claims['role'], auth?: Record<string, unknown>, options?: StockOptions): Promise<Tap>
  ask(path: string, request?: Parameters<typeof ask>[1]): ReturnType<typeof ask>
  /** Publishes as the agent and waits until all three have heard it. */
  say(id: string, more?: object): Promise<void>
}

export async function settle(project: string, cluster: Cluster): Promise<Tenant> {
  const tokenOf: Tenant['tokenOf'] = (sub, role) => token({ sub, role, project })
  const connect: Tenant['connect'] = (worker, sub, role, auth, options) => tap(cluster.workers[worker]!.url, { auth: { token: tokenOf(sub, role), ...auth }, ...options })
  const [coder, watcher, boss] = await Promise.all([connect(0, 'coder', 'agent'), connect(1, 'watcher', 'viewer'), connect(1, 'boss', 'admin')])
  const tenant: Tenant = {
    project,
    partition: partitionOf(project, PARTITIONS),
    mark: `mark-of-${project}`,
    tokenOf,
    coder,
    watcher,
    boss,
    everybody: [coder, watcher, boss],
    connect,
    ask: (path, request) => ask(cluster.workers[0]!.url + path, { as: tokenOf('boss', 'admin'), ...request }),
    async say(id, more = {}) {
      const answer = await coder.must<PublishResult>('publish', progress(tenant, id, more))
      if (answer.duplicate) throw new Error(`${id} of ${project} was taken for another`)
      await Promise.all(tenant.everybody.map((client) => client.hears(id)))
    },
  }
  const interests = [{ topics: ['task:1'] }, { topics: ['task:*'] }, { topics: ['*'] }, { topics: ['agent:coder', 'inbox:coder'] }, { topics: ['task:1'], types: ['task.*'], filter: { progress: 40 } }, { topics: ['repo:octo/*'] }]
  for (const interest of interests) await coder.must('subscribe', interest)
  await watcher.must('subscribe', { topics: ['*'] })
  await boss.must('subscribe', { topics: ['*', 'inbox:*'] })
  return tenant
}

export function progress({ mark }: Tenant, id: string, more: object = {}): object {
  return { id, type: 'task.progress', data: { taskId: '1', agentId: 'coder', progress: 40, message: mark }, ...more }
}

/** Ids of what `crowd` brings in, the same for every tenant. */
export const CROWD = ['of-the-agent', 'of-the-agent-2', 'of-the-service', 'of-the-inbox', 'of-github', 'of-the-engine']

/** One event on each way in, with ids that the other tenant uses as well. */
export async function crowd(tenant: Tenant, raw: RawRedis): Promise<Answer<PublishResult>[]> {
  const { coder, mark, project } = tenant
  const answers: Answer<PublishResult>[] = [
    await coder.call('publish', progress(tenant, 'of-the-agent')),
    await coder.call('publish', progress(tenant, 'of-the-agent-2', { topics: ['run:1', 'system'] })),
  ]
  const service = tenant.tokenOf('engine', 'service')
  for (const event of [progress(tenant, 'of-the-service'), { id: 'of-the-inbox', type: 'custom.mail', data: { mark }, topics: ['inbox:coder'] }]) {
    answers.push((await tenant.ask('/api/v1/events', { as: service, json: event })).body as unknown as Answer<PublishResult>)
  }
  const body = JSON.stringify({ action: mark, issue: { number: 1, title: mark }, repository: { full_name: 'octo/hub' } })
  const headers = { 'x-github-event': 'issues', 'x-github-delivery': 'of-github', 'x-hub-signature-256': sign(secretOf(project), body) }
  answers.push((await tenant.ask(`/webhooks/github/${project}`, { body, headers })).body as unknown as Answer<PublishResult>)
  await raw.add(tenant.partition, 'workflows', { event: JSON.stringify(progress(tenant, 'of-the-engine', { project })) })
  return answers
}
