/**
 * A connection that has its subscriptions from the beginning, and begins where it is told to: everything comes through its outlet, in
 * journal order, old events first (I1, I2). For gateways that cannot give a backfill in an answer: SSE, plain WebSocket, runs, sinks.
 */
import { randomBytes } from 'node:crypto'
import { compareOffsets, HubError, isAfter, ORIGIN, parseSince, type Cursor, type Gap, type Offset } from '@hubbub/protocol'
import { checkSubscribe } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import { locate, type Start } from '../fanout/backfill.js'
import { cursorAt } from '../fanout/epochs.js'
import type { Fanout } from '../fanout/fanout.js'
import type { Lane } from '../fanout/lane.js'
import type { Subscription } from '../fanout/subscription.js'
import type { Settings } from '../settings/table.js'
import type { Journal } from '../store/port.js'
import { inboxSubscription, type Inbox, type MailStart } from './inbox.js'
import { grantedInterest, paceAsked } from './interest.js'

/** What is asked, as it came off the wire. */
export interface FollowRequest {
  /** Each `{ topics, types?, filter?, batchMs?, latestOnly? }`. */
  subscriptions: readonly unknown[]
  /** A cursor, a duration, `{ last: N }` (of each subscription) or `all`; absent: from now on. */
  since?: unknown
  /** Of an agent: its mail, too, from where it was last handed over, or behind the cursor of `since`. */
  mail?: boolean
}

/** Where a follower begins. */
export interface Following {
  cursor: Cursor
  subscriptions: readonly Subscription[]
  /** Told through the outlet, before anything else, when the connection begins; not for a cursor, of which reading itself tells. */
  gap?: Gap
}

export interface FollowDeps {
  journal: Journal
  fanout: Fanout
  settings: Settings
  inbox: Pick<Inbox, 'start'>
}

/** Rejects with `HubError`: INVALID_MESSAGE, INVALID_TOPIC, INVALID_CURSOR, INSUFFICIENT_PERMISSIONS, SUBSCRIPTION_LIMIT. */
export async function following(deps: FollowDeps, identity: Identity, request: FollowRequest): Promise<Following> {
  const { journal, fanout, settings, inbox } = deps
  if (request.subscriptions.length > settings.maxSubscriptions) {
    throw new HubError('SUBSCRIPTION_LIMIT', undefined, { limit: settings.maxSubscriptions, unit: 'subscriptions', setting: 'HUBBUB_MAX_SUBSCRIPTIONS' })
  }
  const start = request.since === undefined ? undefined : parseSince(request.since)
  const asked = request.subscriptions.map((subscription) => {
    const checked = checkSubscribe(subscription, settings)
    return { id: randomBytes(9).toString('base64url'), ...grantedInterest(identity, checked), pace: paceAsked(checked) }
  })
  const lane = await fanout.lane(identity.project)
  const { cursor, gap } = start ? await begin(start, { journal, lane, project: identity.project, asked: asked.map((one) => ({ ...one, from: ORIGIN })) }) : { cursor: lane.tail.cursor, gap: undefined }
  const subscriptions: Subscription[] = asked.map((one) => ({ ...one, from: offsetOf(cursor) }))
  const place = { cursor, subscriptions, ...(gap && { gap }) }
  return request.mail ? withMail(place, start, await inbox.start(identity, lane)) : place
}

/** Whoever names a cursor was given its mail up to there. Otherwise mail may begin before all that was asked for. */
function withMail({ cursor, subscriptions, gap }: Following, start: Start | undefined, mail: MailStart | undefined): Following {
  if (!mail) return { cursor, subscriptions, ...(gap && { gap }) }
  const [topic] = mail.subscription.topics
  if (start?.kind === 'cursor') return { cursor, subscriptions: [...subscriptions, inboxSubscription(topic!, cursor)], ...(gap && { gap }) }
  const first = isAfter(offsetOf(cursor), offsetOf(mail.cursor)) ? mail.cursor : cursor
  const told = gap ?? mail.gap
  return { cursor: first, subscriptions: [...subscriptions, mail.subscription], ...(told && { gap: told }) }
}

async function begin(start: Start, where: { journal: Journal; lane: Lane; project: string; asked: readonly Subscription[] }): Promise<{ cursor: Cursor; gap?: Gap }> {
  // Whether it is covered is looked at when reading begins, and again whenever the journal's epochs change.
  if (start.kind === 'cursor') return { cursor: `${start.epoch}.${start.offset}` }
  const { journal, lane, project, asked } = where
  const { tail } = lane
  const { last, epochs } = await journal.head(tail.partition)
  let first: { after: Offset; gap?: Gap } | undefined
  for (const interest of asked) {
    const place = await locate(start, journal, tail.partition, project, interest, last)
    if (!first || compareOffsets(place.after, first.after) < 0) first = place
    // Only `last` depends on what is asked for.
    if (start.kind !== 'last') break
  }
  const { after, gap } = first ?? { after: last }
  // A time behind the last commit names no place in the journal; one that a later epoch begins before would be taken for lost writes.
  return { cursor: cursorAt(isAfter(after, last) ? last : after, epochs), ...(gap && { gap }) }
}

function offsetOf(cursor: Cursor): Offset {
  return cursor.slice(cursor.indexOf('.') + 1)
}
