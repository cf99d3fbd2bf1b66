/**
 * `GET /api/v1/tasks/export/{json,csv}` and `/api/v1/tasks/:id/export/{json,csv}`: tasks as a file, with the filters of the list. Written
 * page by page at the client's pace: the hub never holds all of it, and later pages are younger than the first.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { HubError, type TaskView } from '@hubbub/protocol'
import { Router, type Response } from 'express'
import { queryOf } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import type { ListRequest, ListResult } from '../../operations/entities.js'
import { takesGzip } from './compression.js'
import { csvLine, type Cell } from './csv.js'
import { identityOf } from './door.js'
import { readListQuery } from './entities.js'
import type { HttpDeps } from './needs.js'

const PAGE = 1000

const COLUMNS: Readonly<Record<string, (task: TaskView) => Cell>> = {
  id: ({ id }) => id,
  title: ({ title }) => title,
  type: ({ taskType }) => taskType,
  status: ({ status }) => status,
  progress: ({ progress }) => progress,
  priority: ({ priority }) => priority,
  pipelineId: ({ pipelineId }) => pipelineId,
  stage: ({ stage }) => stage,
  streamId: ({ streamId }) => streamId,
  agentId: ({ agentId }) => agentId,
  attempt: ({ attempt }) => attempt,
  dependsOn: ({ dependsOn }) => dependsOn?.join(' '),
  requires: ({ requires }) => requires?.join(' '),
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
  startedAt: ({ startedAt }) => startedAt,
  finishedAt: ({ finishedAt }) => finishedAt,
  deadline: ({ deadline }) => deadline,
  message: ({ message }) => message,
  error: ({ error }) => error,
  parameters: ({ parameters }) => json(parameters),
  result: ({ result }) => json(result),
}
const HEADER = csvLine(Object.keys(COLUMNS))

interface Format {
  type: string
  one(task: TaskView): string
  begin: string
  /** `first`: nothing was written before them. */
  many(tasks: readonly TaskView[], first: boolean): string
  end: string
}

const FORMATS: Readonly<Record<string, Format>> = {
  json: {
    type: 'application/json',
    one: (task) => JSON.stringify(task),
    begin: '[',
    many: (tasks, first) => (first || tasks.length === 0 ? '' : ',') + tasks.map((task) => JSON.stringify(task)).join(','),
    end: ']',
  },
  csv: { type: 'text/csv; charset=utf-8; header=present', one: (task) => HEADER + row(task), begin: HEADER, many: (tasks) => tasks.map(row).join(''), end: '' },
}

export function createExports({ operations, authenticator }: Pick<HttpDeps, 'operations' | 'authenticator'>): Router {
  const router = Router()
  const { entities } = operations

  async function* pages(identity: Identity, asked: ListRequest, first: ListResult<'task'>): AsyncGenerator<readonly TaskView[]> {
    for (let page = first; ; ) {
      yield page.entities
      if (page.next === undefined) return
      // It may take minutes: a credential that was revoked meanwhile gets no more of it.
      if (authenticator.isRevoked(identity)) throw new HubError('AUTH_REVOKED')
      page = await entities.list(identity, 'task', { ...asked, after: page.next })
    }
  }

  router.get('/tasks/export/:format', async (request, response) => {
    const format = formatOf(request.params.format)
    const identity = identityOf(response)
    const asked = { ...readListQuery(queryOf(request), 'task'), limit: PAGE }
    // Before anything is written: a refusal of the first page is still an answer.
    const first = await entities.list(identity, 'task', asked)
    attach(response, format, `tasks.${request.params.format}`)
    try {
      const file = Readable.from(written(format, pages(identity, asked, first)))
      response.vary('Accept-Encoding')
      if (takesGzip(request)) await pipeline(file, createGzip(), response.set('Content-Encoding', 'gzip'))
      else await pipeline(file, response)
    } catch (error) {
      // Cut short by whoever asked; anything else ends the connection before the file's end, so that it cannot pass for the whole.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    }
  })

  router.get('/tasks/:id/export/:format', async (request, response) => {
    const { id, format: name } = request.params
    const format = formatOf(name)
    const { entity } = await entities.find(identityOf(response), 'task', id)
    attach(response, format, `task-${id.replace(/[^A-Za-z0-9._-]/g, '_')}.${name}`)
    response.end(format.one(entity))
  })

  return router
}

async function* written(format: Format, pages: AsyncIterable<readonly TaskView[]>): AsyncGenerator<string> {
  yield format.begin
  let first = true
  for await (const tasks of pages) {
    if (tasks.length === 0) continue
    yield format.many(tasks, first)
    first = false
  }
  if (format.end !== '') yield format.end
}

function formatOf(name: string): Format {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  if (format) return format
  throw new HubError('INVALID_MESSAGE', `Tasks are exported as ${Object.keys(FORMATS).join(' or ')}.`, { path: 'format', formats: Object.keys(FORMATS) })
}

function attach(response: Response, format: Format, name: string): void {
  response.set({ 'Content-Type': format.type, 'Content-Disposition': `attachment; filename="${name}"` })
}

function row(task: TaskView): string {
  return csvLine(Object.values(COLUMNS).map((cell) => cell(task)))
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
