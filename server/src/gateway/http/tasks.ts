/** `/api/v1/tasks` and `/api/v1/task-types`: what changes them. Reading is in `entities.ts`. */
import { HubError } from '@hubbub/protocol'
import { Router, type Request } from 'express'
import { bytesOf, jsonOf, readBody, recordOf } from './bodies.js'
import { checkStillIn, identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

/** Room for what surrounds a task's parameters; bytes. */
const BODY_SLACK = 64 * 1024
const SHORT_BODY = 64 * 1024
/** Of waiting for a task's end, as of any command; ms. */
const [LEAST_WAIT, MOST_WAIT] = [100, 600_000]

export function createTaskRoutes({ operations, authenticator, settings }: Pick<HttpDeps, 'operations' | 'authenticator' | 'settings'>): Router {
  const router = Router()
  const { tasks } = operations
  const orderBody = readBody(settings.maxEventBytes + BODY_SLACK)

  router.post('/tasks', orderBody, async (request, response) => {
    const task = await tasks.create(identityOf(response), jsonOf(request))
    response.status(201).location(`/api/v1/tasks/${encodeURIComponent(task.id)}`).json({ ok: true, ...task })
  })

  router.put<{ id: string }>('/tasks/:id', orderBody, async (request, response) => {
    response.json({ ok: true, ...(await tasks.update(identityOf(response), request.params.id, jsonOf(request))) })
  })

  router.delete('/tasks/:id', async (request, response) => {
    await tasks.remove(identityOf(response), request.params.id)
    response.json({ ok: true, id: request.params.id })
  })

  router.post('/tasks/:id/cancel', readBody(SHORT_BODY), async (request, response) => {
    const identity = identityOf(response)
    const { timeoutMs, ...asked } = optionalRecord(request)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const task = await tasks.cancel(identity, { ...asked, taskId: request.params.id }, readWait(timeoutMs, settings.commandMs), gone.signal)
      if (gone.signal.aborted) return
      checkStillIn(authenticator, identity)
      response.json({ ok: true, ...task })
    } catch (error) {
      // A client that hung up while waiting is no failure.
      if (!gone.signal.aborted) throw error
    }
  })

  router.put<{ type: string }>('/task-types/:type', readBody(SHORT_BODY), async (request, response) => {
    response.json({ ok: true, ...(await tasks.defineType(identityOf(response), request.params.type, recordOf(request)['resultSchema'])) })
  })

  router.delete('/task-types/:type', async (request, response) => {
    await tasks.forgetType(identityOf(response), request.params.type)
    response.json({ ok: true, id: request.params.type })
  })

  return router
}

function optionalRecord(request: Request): Record<string, unknown> {
  return bytesOf(request).length === 0 ? {} : recordOf(request)
}

function readWait(value: unknown, normally: number): number {
  if (value === undefined) return normally
  if (typeof value === 'number' && Number.isInteger(value) && value >= LEAST_WAIT && value <= MOST_WAIT) return value
  throw new HubError('INVALID_MESSAGE', `\`timeoutMs\` must be an integer of ${LEAST_WAIT} to ${MOST_WAIT}.`, { path: 'timeoutMs' })
}
