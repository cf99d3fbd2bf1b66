/** `/api/v1/dead`: what came in and could not be committed, with its reason. An admin of some projects sees the letters of his. */
import { HubError, isOffset, partitionOf } from '@hubbub/protocol'
import { Router, type Request } from 'express'
import { queryOf } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import { isOperator } from '../../access/permissions.js'
import type { Settings } from '../../settings/table.js'
import type { DeadLetter } from '../../store/port.js'
import { isRecord } from './bodies.js'
import { identityOf, requireAdmin, seesProject } from './door.js'
import type { HttpDeps } from './needs.js'

const LIMIT = { standard: 100, most: 1000 }

export function createDeadLetters({ store, settings, log }: Pick<HttpDeps, 'store' | 'settings' | 'log'>): Router {
  const router = Router()
  const sees = (identity: Identity, letter: DeadLetter) => seesProject(identity, letterProject(letter, settings))

  /** The letter of the path; one of another project is answered as one that does not exist (I6). */
  const find = async (identity: Identity, params: Request['params']): Promise<DeadLetter> => {
    requireAdmin(identity)
    const partition = /^\d{1,4}$/.test(String(params['partition'])) ? Number(params['partition']) : store.partitions
    const id = params['id']
    const letter = partition < store.partitions && isOffset(id) ? await store.dead.get(partition, id) : null
    if (!letter || !sees(identity, letter)) throw noLetter()
    return letter
  }

  router.get('/dead', async (request, response) => {
    const identity = identityOf(response)
    requireAdmin(identity)
    const limit = readLimit(queryOf(request).get('limit'))
    const partitions = isOperator(identity) ? [...Array(store.partitions).keys()] : [partitionOf(identity.project, store.partitions)]
    // Other projects' letters may stand before his: an admin of one project has the whole stream looked through.
    const count = isOperator(identity) ? limit + 1 : settings.deadLetters
    const letters = (await Promise.all(partitions.map((partition) => store.dead.list(partition, count)))).flat()
    const seen = letters.filter((letter) => sees(identity, letter)).sort((a, b) => b.at - a.at)
    response.json({ ok: true, letters: seen.slice(0, limit), more: seen.length > limit })
  })

  router.get('/dead/:partition/:id', async (request, response) => {
    response.json({ ok: true, letter: await find(identityOf(response), request.params) })
  })

  router.post('/dead/:partition/:id/replay', async (request, response) => {
    const identity = identityOf(response)
    const { partition, id } = await find(identity, request.params)
    if (!(await store.dead.replay(partition, id))) throw noLetter()
    log.info({ partition, letter: id, by: identity.subject }, 'dead letter replayed')
    response.json({ ok: true, partition, id })
  })

  router.delete('/dead/:partition/:id', async (request, response) => {
    const identity = identityOf(response)
    const { partition, id } = await find(identity, request.params)
    if (!(await store.dead.drop(partition, id))) throw noLetter()
    log.info({ partition, letter: id, by: identity.subject }, 'dead letter dropped')
    response.json({ ok: true, partition, id })
  })

  return router
}

/**
 * Whose letter it is, as far as anybody vouches: by our gateways' `identity`, or, on a stream open to raw writers, by the
 * project that the entry asked for. Undefined for what cannot be told; only an admin of every project sees that.
 */
export function letterProject({ stream, fields }: Pick<DeadLetter, 'stream' | 'fields'>, { rawStreams }: Pick<Settings, 'rawStreams'>): string | undefined {
  const raw = rawStreams.split(',').includes(stream)
  const value = parsed(raw ? fields['event'] : fields['identity'])
  const project = isRecord(value) ? value['project'] : undefined
  return typeof project === 'string' ? project : undefined
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '') as unknown
  } catch {
    return undefined
  }
}

function readLimit(text: string | null): number {
  if (!text) return LIMIT.standard
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > LIMIT.most) throw new HubError('INVALID_MESSAGE', `\`limit\` must be 1 to ${LIMIT.most}.`, { field: 'limit' })
  return limit
}

function noLetter(): HubError {
  return new HubError('NOT_FOUND', 'There is no such dead letter.')
}
