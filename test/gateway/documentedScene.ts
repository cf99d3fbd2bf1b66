/** A hub with Redis in which every example of the documents works: the little project that they show, an executor, and something to revoke and to bury. */
import { createHub, type Hub } from '@hubbub/server'
import { WEBHOOK_SECRET } from '../../server/src/gateway/http/endpoints/events.js'
import { silent } from '../../server/src/observe/log.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startRedis } from '../harness/redis.js'
import { tap, type Tap } from '../harness/tap.js'
import { SECRET, token } from '../harness/token.js'
import { openRaw } from '../path/rawRedis.js'

export interface Scene {
  url: string
  /** A connected executor of `git.create_branch`, subscribed to nothing. */
  executor: Tap
  /** A key that can be revoked. */
  keyId: string
  /** A new dead letter. */
  bury(): Promise<{ partition: string; id: string }>
  close(): Promise<void>
}

export async function startScene(): Promise<Scene> {
  const redis = await startRedis()
  const generous = { messageRate: 100_000, messageBurst: 100_000, familyRates: '*=100000' }
  const hub: Hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: SECRET, redisUrl: redis.url, partitions: 1, githubSecret: WEBHOOK_SECRET, cancelMs: 50, ...generous } })
  const raw = await openRaw(redis.url)
  const as = token({ sub: 'engine', role: 'service' })
  const told = await ask(`${hub.url}/api/v1/events`, { as, json: [
    { type: 'task.created', data: { taskId: 'T-1', taskTitle: 'Write the tests', pipelineId: 'P-1', stage: 1, streamId: 'S-1' } },
    { type: 'task.progress', data: { taskId: 'T-1', agentId: 'coder-1', progress: 10 } },
    { type: 'pipeline.started', data: { pipelineId: 'P-1' } },
    { type: 'stream.started', data: { streamId: 'S-1', streamName: 'foundation' } },
    { type: 'checkpoint.created', data: { checkpointId: 'C-1', taskId: 'T-1', trigger: 'manual' } },
    { type: 'agui.run_started', data: { type: 'RUN_STARTED', threadId: 'TH-1', runId: 'R-1' } },
  ] })
  const refused = (told.body['results'] as { ok: boolean }[]).filter(({ ok }) => !ok)
  if (refused.length > 0) throw new Error(JSON.stringify(refused))
  const coder = token({ sub: 'coder-1', role: 'agent' })
  await ask(`${hub.url}/api/v1/agents`, { as: coder, json: { agentType: 'coder', capabilities: ['test'] } })
  await ask(`${hub.url}/api/v1/events`, { as: coder, json: { type: 'agent.status_changed', data: { status: 'busy' } } })
  for (const id of ['T-2', 'T-3', 'T-4']) await ask(`${hub.url}/api/v1/tasks`, { as, json: { id, title: 'Wait', type: 'other', requires: ['nobody can'] } })
  for (const type of ['test', 'forgotten']) await ask(`${hub.url}/api/v1/task-types/${type}`, { as, method: 'PUT', json: { resultSchema: { type: 'object' } } })
  const key = await ask(`${hub.url}/api/v1/keys`, { as: token(), json: { subject: 'old' } })
  const executor = await tap(hub.url, { auth: { token: token({ sub: 'git', role: 'service' }) } })
  executor.socket.on('command', (call: { payload: { name: string } }, answer: (answer: unknown) => void) => answer({ ok: true, result: { branch: call.payload.name } }))
  await executor.must('command.handle', { commands: ['create_branch'] })
  return {
    url: hub.url,
    executor,
    keyId: String(key.body['id']),
    async bury() {
      const before = (await raw.dead(0)).length
      await raw.add(0, 'workflows', { event: 'nonsense' })
      const letter = await eventually(async () => (await raw.dead(0))[before], 'a dead letter')
      return { partition: '0', id: letter.id }
    },
    async close() {
      executor.close()
      raw.close()
      await hub.close()
      await redis.stop()
    },
  }
}
