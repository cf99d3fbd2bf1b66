/** The HTTP gateway: an express app that only translates. What each route takes and answers: PROTOCOL.md. */
import cors from 'cors'
import express, { type Express, type RequestHandler } from 'express'
import { HubError } from '@hubbub/protocol'
import { createRunPublishing } from '../agui/publishing.js'
import { createRunStreams } from '../agui/runs.js'
import { proxiesOf, siteOf } from '../addresses.js'
import { createWebhook } from '../github/webhook.js'
import { originAllowed, originListed } from '../origin.js'
import { bodyRoom } from './body-reader.js'
import { createCalls } from './calls.js'
import { compressAnswers } from './compression.js'
import { countRequests } from './counting.js'
import { createDashboard } from './dashboard.js'
import { createDeadLetters } from './dead.js'
import { createDocs } from './docs.js'
import { createDoor, createOriginCheck, createStreamGate } from './door.js'
import { createEntityRoutes } from './entities.js'
import { createEvents } from './events.js'
import { createExports } from './exports.js'
import { createFailureHandler } from './failures.js'
import { secure } from './headers.js'
import { createHealth } from './health.js'
import { createHistory } from './history.js'
import { createKeyRoutes } from './keys.js'
import type { HttpDeps } from './needs.js'
import { createOverview } from './overview.js'
import { createPollingRoutes } from './polling.js'
import { createSinkRoutes } from './sinks.js'
import { createSnapshot } from './snapshot.js'
import { createStatus } from './status.js'
import { createStream } from './stream.js'
import { createTaps } from './taps.js'
import { createTaskRoutes } from './tasks.js'
import { createTraces } from './trace.js'

export type { ConnectionCounts, HttpDeps, HttpIntake, HttpOperations, ProcessStatus } from './needs.js'

export function createHttpGateway(deps: HttpDeps): Express {
  const app = express()
  app.set('trust proxy', (address: string, hop: number) => proxiesOf(deps.settings).trusts(address, hop))
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('bodies', bodyRoom(deps.settings))
  app.use(headers(deps), compressAnswers, countRequests(deps))
  app.use(createHealth(deps))
  app.use(createDocs())
  app.use(createDashboard(deps.settings))
  app.use('/webhooks', createWebhook(deps))
  app.use('/api', crossOrigin(deps), createOriginCheck(deps), createStreamGate(deps), createDoor(deps))
  app.use(
    '/api/v1',
    createEvents(deps),
    createHistory(deps),
    createStream(deps),
    createRunStreams(deps),
    createRunPublishing(deps),
    createCalls(deps),
    createSnapshot(deps),
    createExports(deps),
    createTaskRoutes(deps),
    createEntityRoutes(deps),
    createStatus(deps),
    createOverview(deps),
    createKeyRoutes(deps),
    createSinkRoutes(deps),
    createDeadLetters(deps),
    createTaps(deps),
    createTraces(deps),
  )
  app.use('/api', createPollingRoutes(deps))
  app.use(() => {
    throw new HubError('NOT_FOUND')
  })
  app.use(createFailureHandler(deps))
  return app
}

const EXPOSED = ['Retry-After', 'Location', 'Content-Disposition', 'Hubbub-Cursor', 'Hubbub-More', 'Hubbub-Gap']

function headers({ settings }: Pick<HttpDeps, 'settings'>): RequestHandler {
  return (_request, response, next) => {
    secure(response, settings)
    next()
  }
}

function crossOrigin({ settings }: Pick<HttpDeps, 'settings'>): RequestHandler {
  const everybody = originListed(settings, '*')
  return cors((request, decide) => {
    const { origin } = request.headers
    if (origin === undefined || !originAllowed(settings, origin, siteOf(settings, request))) return decide(null, { origin: false })
    // With `*` no page may use a visitor's cookie: browsers would refuse the pair, and rightly so.
    decide(null, { origin: everybody ? '*' : origin, credentials: !everybody, exposedHeaders: EXPOSED, maxAge: 600 })
  })
}

/** A process without connections: health and metrics only. */
export function createProcessorHttp(deps: Omit<HttpDeps, 'broadcast' | 'streams'>): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(headers(deps), countRequests(deps))
  app.use(createHealth(deps))
  app.use(() => {
    throw new HubError('NOT_FOUND')
  })
  app.use(createFailureHandler(deps))
  return app
}
