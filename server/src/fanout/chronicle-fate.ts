/**
 * What became of an event for one session, from its chronicle: pure, the first rule of the table that has something to say. The rules
 * stand in the order in which one excludes the next: what is not known any more, what was told, what was given, and why it was not.
 */
import { HubError, isAfter, matches, offsetMillis, passes, topicMatches, type Fate, type HubEvent, type Offset } from '@hubbub/protocol'
import { may, needed } from '../access/permissions.js'
import type { Chronicle, Episode, Span } from './chronicle.js'
import { paceOf } from './pace.js'
import type { Pace } from './subscription.js'

/** What is asked about. */
export interface Asked {
  offset: Offset
  /** Absent: it is not there any more; only what does not depend on it can be said. */
  event?: HubEvent
}

export interface Finding {
  fate: Fate
  /** One sentence. */
  why: string
  subscriptionId?: string
  /** ms since the epoch: of what `why` tells. */
  at?: number
  /** Whether it was written to a connection of the session; absent: nobody knows. */
  given?: boolean
}

/** Of a subscription that wants only the latest: whether another event went in its place. */
export type Replaced = 'no' | 'yes' | 'perhaps'

type Chronicled = Pick<Chronicle, 'who' | 'spans' | 'episodes' | 'gaps' | 'answers' | 'began' | 'beganAt' | 'ended' | 'forgotten' | 'reached' | 'identity'>

interface Case {
  chronicle: Chronicled
  offset: Offset
  event: HubEvent
  /** Subscriptions that took it when it came. */
  taking: readonly Span[]
  replaced: Replaced
}

const NOT_TAKEN = 'its receiver has not taken what comes before'

type Rule = (asked: Case) => Finding | undefined

/** In this order. */
const RULES: readonly Rule[] = [forgotten, answered, gap, heldBefore, ended, behind, live, onItsWay, filtered, later, noLonger, notGranted, notSubscribed]

export function fateOf(chronicle: Chronicled, { offset, event }: Asked, replaced: Replaced = 'no'): Finding {
  if (!event) return fateOfLost(chronicle, offset)
  const asked: Case = { chronicle, offset, event, taking: takingOf(chronicle, { offset, event }), replaced }
  for (const rule of RULES) {
    const found = rule(asked)
    if (found) return found
  }
  throw new HubError('INTERNAL_ERROR', 'No rule tells what became of the event.')
}

/** How long the event may have been gathered, and whether for the latest only; undefined: it went at once, or nobody took it. */
export function paceThen(chronicle: Chronicled, asked: Required<Asked>): Pace | undefined {
  return paceOf(takingOf(chronicle, asked).map(({ subscription }) => subscription), asked)
}

/** Subscriptions that counted at the offset, whatever they took. */
export function spansAt({ spans }: Pick<Chronicled, 'spans'>, offset: Offset): Span[] {
  return spans.filter(({ from, until }) => isAfter(offset, from) && (until === undefined || !isAfter(offset, until)))
}

/** The episode in which the offset was, or is to be, read from the journal. */
export function episodeAt({ episodes }: Pick<Chronicled, 'episodes'>, offset: Offset): Episode | undefined {
  return episodes.find(({ from, until }) => isAfter(offset, from) && (until === undefined || !isAfter(offset, until)))
}

function takingOf(chronicle: Chronicled, { offset, event }: Required<Asked>): Span[] {
  return spansAt(chronicle, offset).filter(({ subscription }) => matches(subscription, event))
}

function fateOfLost(chronicle: Chronicled, offset: Offset): Finding {
  const told = chronicle.gaps.find(({ from, to }) => isAfter(offset, from) && !isAfter(offset, to))
  if (told) return { fate: 'gap', at: told.at, given: false, why: `It was told a gap (${told.reason}) in which this offset lies; whether its subscriptions took the event cannot be told, for the journal no longer has it.` }
  return { fate: 'expired', why: 'The journal no longer has the event, so it cannot be told whether the subscriptions took it.' }
}

function forgotten({ chronicle, offset }: Case): Finding | undefined {
  if (isAfter(offset, chronicle.forgotten)) return undefined
  return { fate: 'expired', why: 'So much happened to this session since the event that what was then is no longer remembered.' }
}

function answered({ chronicle, offset, event }: Case): Finding | undefined {
  const answer = chronicle.answers.find(({ interest, after, upTo }) => isAfter(offset, after) && !isAfter(offset, upTo) && matches(interest, event))
  if (!answer) return undefined
  return { fate: 'caught-up', at: answer.at, given: true, why: 'It stood in the answer to a subscribe that asked for the past.', ...(answer.subscriptionId !== undefined && { subscriptionId: answer.subscriptionId }) }
}

function gap({ chronicle, offset, event }: Case): Finding | undefined {
  const told = chronicle.gaps.find(({ from, to }) => isAfter(offset, from) && !isAfter(offset, to))
  // Of a client that came back without its session: it asked again for what it wants, behind the gap.
  const span = told && chronicle.spans.find(({ subscription }) => matches(subscription, event))
  if (!span) return undefined
  return { fate: 'gap', at: told.at, given: false, subscriptionId: span.subscription.id, why: `It lies in a gap (${told.reason}) that the client was told; history, or a snapshot, has it.` }
}

function heldBefore({ chronicle, offset, taking }: Case): Finding | undefined {
  const [span] = taking
  if (!span || isAfter(offset, chronicle.began)) return undefined
  return { fate: 'expired', at: chronicle.beganAt, given: true, subscriptionId: span.subscription.id, why: 'It came back holding the event: it was given it on an earlier connection, of which nothing is known any more.' }
}

function ended({ chronicle: { ended: end }, offset, taking: [span] }: Case): Finding | undefined {
  if (!span || !end || !isAfter(offset, end.offset)) return undefined
  return {
    fate: 'disconnected', at: end.at, given: false, subscriptionId: span.subscription.id,
    why: end.at <= offsetMillis(offset) ? 'Its connection had ended when the event came, and has not come back since.' : 'Its connection ended before the event could be written to it, and has not come back since.',
  }
}

/** What was read from the journal, or is about to be. */
function behind({ chronicle, offset, taking: [span], replaced }: Case): Finding | undefined {
  const episode = span && episodeAt(chronicle, offset)
  if (!episode) return undefined
  const { cause } = episode
  const place = { subscriptionId: span.subscription.id, at: episode.endedAt ?? episode.at }
  if (isAfter(offset, chronicle.reached)) {
    const because = chronicle.who.wire === 'sink' ? NOT_TAKEN : cause === 'slow' ? 'its socket does not take what waits for it' : cause === 'jump' ? 'it reads again since the journal jumped' : 'it is reading what came before'
    return { fate: 'catching-up', given: false, ...place, why: `It is on its way to the event, from ${chronicle.reached}: ${because}.` }
  }
  if (replaced === 'yes') return superseded(span)
  const how: Record<Episode['cause'], string> = {
    slow: 'Its socket did not take what waited for it when the event came; the event was read from the journal and written when it did.',
    resume: 'It was not there when the event came; it was read from the journal when the client came, or came back.',
    jump: 'The journal jumped when the event came; it was read again.',
  }
  return { fate: cause === 'slow' ? 'slow' : 'caught-up', given: true, ...place, why: `${how[cause]}${perhaps(replaced)}` }
}

function live({ chronicle, offset, taking: [span], replaced }: Case): Finding | undefined {
  if (!span || isAfter(offset, chronicle.reached)) return undefined
  if (replaced === 'yes') return superseded(span)
  const end = chronicle.ended ? ' Its connection has ended since: what it had not taken by then it has only if it came back.' : ''
  return { fate: 'live', given: true, subscriptionId: span.subscription.id, why: `${chronicle.who.wire === 'sink' ? 'Its receiver took it.' : 'It was written to its connection as it was committed.'}${perhaps(replaced)}${end}` }
}

function onItsWay({ chronicle: { who: { wire } }, taking: [span] }: Case): Finding | undefined {
  if (!span) return undefined
  const { pace } = span.subscription
  const why = wire === 'sink' ? `It is on its way: ${NOT_TAKEN}, or its worker has not read the journal that far.` : pace ? `It is gathered with others for at most ${pace.ms} ms, or its worker has not read the journal that far.` : 'Its worker has not read the journal that far.'
  return { fate: 'catching-up', given: false, subscriptionId: span.subscription.id, why }
}

/** Nothing takes it, from here on. */
function filtered({ chronicle, offset, event }: Case): Finding | undefined {
  const span = spansAt(chronicle, offset).find(({ subscription: { topics } }) => takesTopic(topics, event))
  if (!span) return undefined
  const { id, topics, types, filter = {} } = span.subscription
  const wrong = types && !passes({ topics, types }, event) ? `is only for the types ${listed(types)}, and this is ${event.type}` : `asks for ${refusing(filter, event)}`
  return { fate: 'filtered', given: false, subscriptionId: id, at: span.at, why: `Its subscription takes the topic, but ${wrong}.` }
}

function later({ chronicle, offset, event }: Case): Finding | undefined {
  const span = chronicle.spans.find(({ subscription, from }) => !isAfter(offset, from) && matches(subscription, event))
  if (!span) return undefined
  return { fate: 'subscribed-later', given: false, subscriptionId: span.subscription.id, at: span.at, why: 'It subscribed after the event was committed, from then on; with `since` the past would have been in the answer.' }
}

function noLonger({ chronicle, event }: Case): Finding | undefined {
  const span = chronicle.spans.findLast(({ subscription, until }) => until !== undefined && matches(subscription, event))
  if (!span) return undefined
  const told = { given: false, subscriptionId: span.subscription.id, at: span.endedAt }
  if (span.because === 'permission') return { fate: 'no-permission', ...told, why: `Its subscription was dropped before, because its new credential no longer grants ${listed(span.subscription.topics)}.` }
  return { fate: 'not-subscribed', ...told, why: 'It had unsubscribed before the event was committed.' }
}

function notGranted({ chronicle: { identity }, event }: Case): Finding | undefined {
  if (!identity || event.topics.some((topic) => may(identity, 'subscribe', topic))) return undefined
  return { fate: 'no-permission', given: false, why: `Its credential grants none of the event's topics; it would need ${listed(event.topics.map((topic) => needed('subscribe', topic)), 'or')}.` }
}

function notSubscribed({ event }: Case): Finding {
  return { fate: 'not-subscribed', given: false, why: `None of its subscriptions took any of the event's topics: ${listed(event.topics)}.` }
}

function superseded({ subscription: { id, pace } }: Span): Finding {
  return { fate: 'superseded', given: false, subscriptionId: id, why: `It asked for the latest only: another event of the same type and topics came before this one was due${pace ? `, ${pace.ms} ms at most` : ''}.` }
}

function perhaps(replaced: Replaced): string {
  return replaced === 'perhaps' ? ' It asked for the latest only, so another event of the same type and topics may have gone in its place.' : ''
}

function takesTopic(patterns: readonly string[], event: HubEvent): boolean {
  return patterns.some((pattern) => event.topics.some((topic) => topicMatches(pattern, topic)))
}

/** The first condition that does not hold. */
function refusing(filter: Readonly<Record<string, string | number | boolean | null>>, event: HubEvent): string {
  for (const [key, value] of Object.entries(filter)) if (!passes({ topics: [], filter: { [key]: value } }, event)) return `${key} = ${JSON.stringify(value)}`.slice(0, 200)
  return 'something else'
}

const NAMED = 5

function listed(names: readonly string[], word = 'and'): string {
  const shown = names.slice(0, NAMED)
  return names.length > NAMED ? `${shown.join(', ')} ${word} ${names.length - NAMED} more` : shown.join(', ')
}
