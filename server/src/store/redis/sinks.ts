/**
 * Sinks of a partition: three hashes by `project/id`. A record is two lines, the reader on the second, because a script may replace the
 * reader but must not decode the rest (Lua makes an object of an empty list).
 */
import { nonce } from '../nonce.js'
import { topicKey, type SinkOrder, type SinkProgress, type SinkReader, type SinkRecord, type Sinks, type SinkStanding, type SinkStatus, type StoredSink } from '../port.js'
import type { RedisContext } from './context.js'
import { listOf, textOf, textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

interface Standing {
  status: SinkStatus
  reason?: string
}

export function sinks(context: RedisContext): Sinks {
  return { ...desk(context), ...delivering(context) }
}

function desk(context: RedisContext): Pick<Sinks, 'add' | 'get' | 'list' | 'remove' | 'steer' | 'look'> {
  const look: Sinks['look'] = async (partition) => {
    const flat = textsOf(await context.run('sinks.look', SCRIPTS.sinkLook, [context.keys(partition).sinks.standings], []))
    return Array.from({ length: flat.length / 4 }, (_, at) => standingOf(flat[4 * at]!, { status: flat[4 * at + 1] as SinkStatus, reason: flat[4 * at + 2] }, flat[4 * at + 3]))
  }
  return {
    async add(partition, record, cursor, limit) {
      const { records, progress, standings } = context.keys(partition).sinks
      const start: SinkProgress = { cursor, deliveries: 0 }
      const args = [topicKey(record.project, record.id), textOfRecord(record), JSON.stringify(start), topicKey(record.project, ''), String(limit)]
      const added = await context.run('sinks.add', SCRIPTS.sinkAdd, [records, progress, standings], args)
      return added === 1 ? 'added' : added === 0 ? 'exists' : 'full'
    },
    async get(partition, project, id) {
      return (await read(context, partition, [topicKey(project, id)], await look(partition)))[0] ?? null
    },
    async list(partition, project) {
      const standings = await look(partition)
      const fields = standings.filter((sink) => sink.project === project).map(({ id }) => topicKey(project, id))
      return await read(context, partition, fields.sort(), standings)
    },
    async remove(partition, project, id) {
      const { records, progress, standings } = context.keys(partition).sinks
      return (await context.run('sinks.remove', SCRIPTS.sinkRemove, [records, progress, standings], [topicKey(project, id)])) === 1
    },
    async steer(partition, project, id, { status, reason = '', reader }) {
      const { records, progress, standings } = context.keys(partition).sinks
      const args = [topicKey(project, id), status, reason, reader ? JSON.stringify(reader) : '']
      return (await context.run('sinks.steer', SCRIPTS.sinkSteer, [records, progress, standings], args)) === 1
    },
    look,
  }
}

function delivering(context: RedisContext): Pick<Sinks, 'claim' | 'report' | 'release'> {
  return {
    async claim(partition, project, id, owner, leaseMs) {
      const { records, progress, standings } = context.keys(partition).sinks
      const fence = nonce()
      const reply = await context.run('sinks.claim', SCRIPTS.sinkClaim, [records, progress, standings], [topicKey(project, id), owner, String(leaseMs), fence])
      if (reply === null) return null
      const [record, stood] = listOf(reply).map(textOf)
      return { fence, record: recordOf(record!), progress: JSON.parse(stood!) as SinkProgress }
    },
    async report(partition, project, id, fence, leaseMs, news) {
      const { progress, standings } = context.keys(partition).sinks
      const args = [topicKey(project, id), fence, String(leaseMs), news ? JSON.stringify(news.progress) : '', news?.pause === undefined ? '' : '1', news?.pause ?? '']
      return textOf(await context.run('sinks.report', SCRIPTS.sinkReport, [progress, standings], args)) as SinkOrder
    },
    async release(partition, project, id, fence) {
      await context.run('sinks.release', SCRIPTS.sinkRelease, [context.keys(partition).sinks.standings], [topicKey(project, id), fence])
    },
  }
}

/** One that was removed between the looks is left out. */
async function read(context: RedisContext, partition: number, fields: readonly string[], standings: readonly SinkStanding[]): Promise<StoredSink[]> {
  if (fields.length === 0) return []
  const keys = context.keys(partition).sinks
  const [records, progress] = await context.call('sinks.read', keys.records, (client) =>
    Promise.all([client.hmGet(keys.records, [...fields]), client.hmGet(keys.progress, [...fields])]))
  return fields.flatMap((field, at) => {
    const standing = standings.find(({ project, id }) => topicKey(project, id) === field)
    const [record, stood] = [records[at], progress[at]]
    return standing && record && stood ? [{ ...standing, record: recordOf(record), progress: JSON.parse(stood) as SinkProgress }] : []
  })
}

/** Neither a project nor a sink's id contains a slash. */
function standingOf(field: string, { status, reason }: Standing, owner: string | undefined): SinkStanding {
  const at = field.indexOf('/')
  return { project: field.slice(0, at), id: field.slice(at + 1), status, ...(reason && { reason }), ...(owner && { owner }) }
}

function textOfRecord({ reader, ...record }: SinkRecord): string {
  return `${JSON.stringify(record)}\n${JSON.stringify(reader)}`
}

function recordOf(text: string): SinkRecord {
  const [record, reader] = text.split('\n')
  return { ...(JSON.parse(record!) as Omit<SinkRecord, 'reader'>), reader: JSON.parse(reader!) as SinkReader }
}
