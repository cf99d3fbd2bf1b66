/**
 * What Socket.IO clients say in messages, as single requests: `POST /api/v1/commands`, `/signals`, `/broadcasts`, `/agents`, and
 * `GET /api/v1/presence?topic=`. Bodies, permissions, limits and failures are the messages' own.
 */
import { Router, type Request } from 'express'
import { queryOf } from '../../access/credentials.js'
import { bytesOf, jsonOf, readBody } from './bodies.js'
import { checkStillIn, identityOf } from './door.js'
import type { HttpDeps } from './needs.js'

/** Room for what surrounds a payload; bytes. */
const BODY_SLACK = 64 * 1024

export function createCalls({ operations, authenticator, settings, broadcast }: Pick<HttpDeps, 'operations' | 'authenticator' | 'settings' | 'broadcast'>): Router {
  const router = Router()
  const body = readBody(settings.maxEventBytes + BODY_SLACK)

  router.post('/commands', body, async (request, response) => {
    const identity = identityOf(response)
    // It is carried out whether or not its giver stays to hear of it.
    const result = await operations.commands.give(identity, jsonOf(request))
    checkStillIn(authenticator, identity)
    response.json({ ok: true, ...result })
  })

  router.post('/signals', body, async (request, response) => {
    await operations.signal(identityOf(response), jsonOf(request), broadcast)
    // Handed on, which is all that a signal promises.
    response.status(202).json({ ok: true })
  })

  router.post('/broadcasts', body, async (request, response) => {
    response.json({ ok: true, ...(await operations.broadcasts.send(identityOf(response), jsonOf(request))) })
  })

  router.get('/presence', async (request, response) => {
    // One that asks by request has no connection that could be told of changes.
    const asking = { identity: identityOf(response), subscriptions: [] }
    response.json({ ok: true, ...(await operations.presence.ask(asking, { topic: queryOf(request).get('topic') ?? '', watch: false }, () => undefined)) })
  })

  router.post('/agents', body, async (request, response) => {
    const identity = identityOf(response)
    const { answer } = await operations.register(identity, optionalJson(request))
    // Behind the registration: from then on the agent may be given work.
    const mail = await operations.mail(identity)
    const unread = mail && { mailCursor: mail.cursor, ...(mail.gap && { mailGap: mail.gap }) }
    response.status(201).location(`/api/v1/agents/${encodeURIComponent(answer.agentId)}`).json({ ok: true, ...answer, ...unread })
  })

  return router
}

function optionalJson(request: Request): unknown {
  return bytesOf(request).length === 0 ? {} : jsonOf(request)
}
