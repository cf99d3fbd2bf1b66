/**
 * Where clients stood that do not remember it themselves: by an id of the client's choosing, in the store, so that any worker finds it (I8).
 * Written at the beginning, at the end and now and then between: after a worker was killed the last moments may come again, and nothing
 * is passed over.
 */
import { createHash, randomUUID } from 'node:crypto'
import { HubError, partitionOf, type Cursor, type Gap, type Since } from '@hubbub/protocol'
import type { DialectDeps, Opening, Speaker } from '../dialect.js'
import { sinceIn } from '../query.js'

export interface Place {
  clientId: string
  /** Of the record in the store. */
  recordId: string
  partition: number
  generation: number
  topic: string
  /** From where it is to be read; undefined: from now on. */
  since?: Since
  /** It came back, and its place was known. */
  returned: boolean
  /** More was missed than is kept for it. */
  gap?: Gap
}

const CLIENT_ID = /^[\x21-\x7e]{1,128}$/
/** Between two looks at where a client stands, ms. */
const LOOK_MS = 3000
/** A place outlives its client by this at least, ms. */
const LEAST_PLACE_MS = 120_000
const REPLACED = 1000

export class Places {
  private readonly ttlMs: number

  constructor(private readonly deps: DialectDeps) {
    this.ttlMs = Math.max(deps.settings.retentionMs, LEAST_PLACE_MS)
  }

  /** Rejects with `HubError`. Whoever had the place before loses it. */
  async find({ identity, query, name }: Opening, topic: string): Promise<Place> {
    const { sessions, partitions } = this.deps
    const asked = query.get('client_id') ?? query.get('clientId')
    if (asked !== null && !CLIENT_ID.test(asked)) throw new HubError('INVALID_MESSAGE', '`client_id` is 1 to 128 visible characters.', { field: 'client_id' })
    const clientId = asked ?? randomUUID()
    const partition = partitionOf(identity.project, partitions)
    const recordId = `place.${createHash('sha256').update(JSON.stringify([identity.project, identity.subject, name, clientId])).digest('base64url')}`
    const place: Place = { clientId, recordId, partition, generation: 1, topic, returned: false }
    const since = sinceIn(query)
    const known = asked === null ? null : await sessions.take(partition, recordId, this.ttlMs)
    if (known) place.generation = known.generation
    const cursor = known?.record.cursor
    if (since !== undefined || cursor === undefined) return since === undefined ? place : { ...place, since }
    return { ...place, returned: true, ...(await this.behind(cursor, { identity, topic })) }
  }

  /** Keeps the place until the answered function is called. A connection whose place somebody else took is closed. */
  remember(place: Place, speaker: Speaker): () => void {
    let written: Cursor | undefined
    const write = () => {
      const cursor = speaker.cursor()
      if (cursor === written) return
      written = cursor
      this.save(place, speaker, cursor).catch((error: unknown) => {
        written = undefined
        this.deps.log.debug({ err: error }, 'a client\'s place was not written')
      })
    }
    const timer = setInterval(write, LOOK_MS)
    timer.unref()
    write()
    return () => {
      clearInterval(timer)
      write()
    }
  }

  private async save({ recordId, partition, generation }: Place, speaker: Speaker, cursor: Cursor): Promise<void> {
    const { subject, project } = speaker.identity()
    if (await this.deps.sessions.save(partition, recordId, generation, { project, subject, subscriptions: [], cursor }, this.ttlMs)) return
    speaker.close(REPLACED, 'another connection has this client_id')
  }

  /** Everything behind the cursor, or the last of it with the rest told as a gap. */
  private async behind(cursor: Cursor, { identity, topic }: { identity: Opening['identity']; topic: string }): Promise<Pick<Place, 'since' | 'gap'>> {
    const { history, settings } = this.deps
    const most = settings.wsQueue
    const ask = (since: Since, limit: number) => history(identity, { topics: [topic], since, limit }, new AbortController().signal)
    const missed = await ask(cursor, Math.min(most + 1, settings.pageEvents))
    // A gap of the journal's own is told when it is read.
    if (missed.gap || missed.events.length <= most) return { since: cursor }
    const [first] = (await ask({ last: most }, 1)).events
    return { since: { last: most }, gap: { from: cursor, to: first?.cursor ?? missed.cursor, reason: 'session' } }
  }
}
