/**
 * Where clients stood that do not remember it themselves: by an id of the client's choosing, in the store, so that any worker finds it (I8).
 *
 * A client has what it answered for: behind events goes a ping, soon, and what stood before one that was answered has arrived. What was not
 * answered for when the connection ended comes again, and so does what came since the last look when the worker was killed. Nothing is passed
 * over (I2).
 */
import { createHash, randomUUID } from 'node:crypto'
import { HubError, partitionOf, type Cursor, type Gap, type Since } from '@hubbub/protocol'
import type { DialectDeps, Opening, Speaker } from '../dialect.js'
import { sinceIn } from '../query.js'
import { Stay } from './stay.js'

export interface Place {
  clientId: string
  /** Of the record in the store. */
  recordId: string
  partition: number
  generation: number
  /** From where it is to be read; undefined: from now on. */
  since?: Since
  /** It came back, and its place was known. */
  returned: boolean
  /** More was missed than is kept for it. */
  gap?: Gap
}

const CLIENT_ID = /^[\x21-\x7e]{1,128}$/
/** A place outlives its client by this at least, ms. */
const LEAST_PLACE_MS = 120_000

export class Places {
  private readonly ttlMs: number
  /** On this worker, by record: those that are here, and then what is written of those that went. */
  private readonly stays = new Map<string, Stay>()
  private readonly leaving = new Map<string, Promise<void>>()

  constructor(private readonly deps: DialectDeps) {
    this.ttlMs = Math.max(deps.settings.retentionMs, LEAST_PLACE_MS)
  }

  /** Rejects with `HubError`. Whoever had the place before loses it. */
  async find({ identity, query, name }: Opening, topic: string): Promise<Place> {
    const { project, subject } = identity
    const asked = query.get('client_id') ?? query.get('clientId')
    if (asked !== null && !CLIENT_ID.test(asked)) throw new HubError('INVALID_MESSAGE', '`client_id` is 1 to 128 visible characters.', { field: 'client_id' })
    const since = sinceIn(query)
    const clientId = asked ?? randomUUID()
    const partition = partitionOf(project, this.deps.partitions)
    const recordId = `place.${createHash('sha256').update(JSON.stringify([project, subject, name, clientId])).digest('base64url')}`
    const place: Place = { clientId, recordId, partition, generation: 1, returned: false, ...(since !== undefined && { since }) }
    if (asked === null) return place
    const { generation, cursor } = await this.take(place, { project, subject })
    if (since !== undefined || cursor === undefined) return { ...place, generation }
    return { ...place, generation, returned: true, ...(await this.behind(cursor, { identity, topic })) }
  }

  /** Keeps the place while the connection lasts; one that somebody else takes is closed. */
  remember({ recordId, partition, generation }: Place, speaker: Speaker): Stay {
    const { sessions, log } = this.deps
    const stay = new Stay(speaker, {
      ttlMs: this.ttlMs,
      log,
      save: (cursor) => {
        const { subject, project } = speaker.identity()
        return sessions.save(partition, recordId, generation, { project, subject, subscriptions: [], cursor }, this.ttlMs)
      },
      left: (written) => {
        if (this.stays.get(recordId) === stay) this.stays.delete(recordId)
        const leaving = written.finally(() => this.leaving.get(recordId) === leaving && this.leaving.delete(recordId))
        this.leaving.set(recordId, leaving)
      },
    })
    this.stays.get(recordId)?.replaced()
    this.stays.set(recordId, stay)
    return stay
  }

  /** Of two that come at once with an id that was never there, too, only one keeps it: a record is taken in any case. */
  private async take({ recordId, partition }: Place, owner: { project: string; subject: string }): Promise<{ generation: number; cursor?: Cursor }> {
    const { sessions } = this.deps
    // Of a connection to this worker what it has is known to the moment.
    await (this.stays.get(recordId)?.write() ?? this.leaving.get(recordId))
    let known = await sessions.take(partition, recordId, this.ttlMs)
    if (!known) {
      await sessions.save(partition, recordId, 1, { ...owner, subscriptions: [] }, this.ttlMs)
      known = await sessions.take(partition, recordId, this.ttlMs)
    }
    if (!known) throw new HubError('UNAVAILABLE', 'The place was lost while it was taken.')
    return { generation: known.generation, cursor: known.record.cursor }
  }

  /** Everything behind the cursor, or the last of it with the rest told as a gap. */
  private async behind(cursor: Cursor, { identity, topic }: { identity: Opening['identity']; topic: string }): Promise<Pick<Place, 'since' | 'gap'>> {
    const { history, settings } = this.deps
    const most = settings.wsQueue
    const ask = (since: Since, limit: number) => history(identity, { topics: [topic], since, limit }, new AbortController().signal)
    const missed = await ask(cursor, Math.min(most + 1, settings.pageEvents))
    // A gap of the journal's own is told when it is read.
    if (missed.gap || missed.events.length <= most) return { since: cursor }
    // A cursor, not the number: of what comes until reading begins nothing may be passed over.
    const [before] = (await ask({ last: most + 1 }, 1)).events
    if (!before) return { since: cursor }
    return { since: before.cursor, gap: { from: cursor, to: before.cursor, reason: 'session' } }
  }
}
