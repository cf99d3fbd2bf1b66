/**
 * `/api/{streams,tasks,checkpoints}`, for clients that poll when they have no connection: the shapes that they know, without an
 * envelope around them. Failures are answered as everywhere else.
 */
import type { Checkpoint, Stream, Task } from '@hubbub/protocol'
import { Router } from 'express'
import { queryOf } from '../../access/credentials.js'
import { identityOf } from './door.js'
import { readListQuery } from './entities.js'
import type { HttpDeps } from './needs.js'

/** Of one stream's task list. */
const MOST_TASKS = 1000

export function createPollingRoutes({ operations }: Pick<HttpDeps, 'operations'>): Router {
  const router = Router()
  const { entities } = operations

  const serve = <K extends 'stream' | 'task' | 'checkpoint'>(path: string, kind: K, shape: (entity: Polled[K]) => object) => {
    router.get(`/${path}`, async (request, response) => {
      const page = await entities.list(identityOf(response), kind, readListQuery(queryOf(request), kind))
      response.json({ [path]: page.entities.map((entity) => shape(entity as unknown as Polled[K])), ...(page.next !== undefined && { next: page.next }) })
    })
  }
  serve('streams', 'stream', streamShape)
  serve('tasks', 'task', taskShape)
  serve('checkpoints', 'checkpoint', checkpointShape)

  router.get('/streams/:id', async (request, response) => {
    const identity = identityOf(response)
    const { entity } = await entities.find(identity, 'stream', request.params.id)
    // Oldest first, as they were planned; of more than this many the latest.
    const tasks = await entities.list(identity, 'task', { filters: { streamId: entity.id }, limit: MOST_TASKS })
    response.json({ ...streamShape(entity), taskList: tasks.entities.toReversed().map(taskShape) })
  })
  router.get('/tasks/:id', async (request, response) => {
    response.json(taskShape((await entities.find(identityOf(response), 'task', request.params.id)).entity))
  })
  router.get('/checkpoints/:id', async (request, response) => {
    response.json(checkpointShape((await entities.find(identityOf(response), 'checkpoint', request.params.id)).entity))
  })
  return router
}

interface Polled {
  stream: Stream
  task: Task
  checkpoint: Checkpoint
}

function streamShape(stream: Stream): object {
  const { id, name = id, status, totalTasks, completedTasks, inProgressTasks, blockedTasks, failedTasks, progressPercentage, blockedReason, createdAt, updatedAt } = stream
  return {
    streamId: id, streamName: name, status, progress: progressPercentage, tasks: totalTasks,
    completedTasks, inProgressTasks, blockedTasks, failedTasks, blockedReason, createdAt, updatedAt,
  }
}

/** A field without a value is left out. */
function taskShape(task: Task): object {
  const { id, title = id, status, agentId, assignedAgent, progress, streamId, blockedReason, createdAt, updatedAt } = task
  return { id, title, status, assignedAgent: agentId ?? assignedAgent, progress: progress ?? 0, streamId, blockedReason, createdAt, updatedAt }
}

function checkpointShape(checkpoint: Checkpoint): object {
  const { id, taskId, taskTitle, sequence, trigger, status, executionPhase, executionStep, hasDraft, expiresAt = null, createdAt } = checkpoint
  return { checkpointId: id, taskId, taskTitle, sequence, trigger, status, executionPhase, executionStep, hasDraft, expiresAt, createdAt }
}
