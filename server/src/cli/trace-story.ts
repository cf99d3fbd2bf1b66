/** A trace for readers. All of it may be somebody else's text: nothing of it moves the cursor, or is longer than a line may be. */
import type { CommittedTrace, DerivedEvent, Fate, Received, RefusedTrace, SessionAccount, Trace, TracedEvent, UnknownTrace, WorkerAccount } from '@hubbub/protocol'
import { plain, table } from './print.js'
import { ms } from './terminal/figures.js'
import { clip, paint, type Ink, type Style } from './terminal/paint.js'

/** Columns of one name, and of one sentence. */
const NAME = 120
const SENTENCE = 1000
const LABEL = 11
const MOST_TOPICS = 100
/** Causes follow each other so deep only in a loop of somebody's making. */
const DEEPEST = 30

const STYLES: Readonly<Record<Fate, Style>> = {
  live: 'good', 'caught-up': 'good', slow: 'warn', 'catching-up': 'warn', gap: 'bad', superseded: 'idle', 'not-subscribed': 'idle', 'subscribed-later': 'idle',
  filtered: 'idle', 'no-permission': 'bad', disconnected: 'bad', expired: 'idle',
}

export function storyOf(trace: Trace, ink: Ink): string[] {
  if (trace.status === 'committed') return committedStory(trace, ink)
  return trace.status === 'refused' ? refusedStory(trace, ink) : unknownStory(trace, ink)
}

function committedStory(trace: CommittedTrace, ink: Ink): string[] {
  const { event, committed, received, causes, causeNotFound, derived } = trace
  const lines = [
    `${paint(name(event.id), 'bold', ink)}  ${name(event.type)}  ${paint('committed', 'good', ink)}`,
    labelled('received', receivedOf(received)),
    labelled('committed', `${moment(committed.at)}, ${ms(committed.afterMs)} later, as ${name(committed.offset)} of partition ${committed.partition}, batch ${committed.batch ?? '—'}, by processor ${committed.processor === undefined ? '—' : name(committed.processor)}`),
    labelled('cursor', name(trace.cursor)),
    labelled('topics', sentence(event.topics.slice(0, MOST_TOPICS).join(', '))),
    ...causes.map((cause, place) => labelled(place === 0 ? 'caused by' : '', oneOf(cause))),
  ]
  if (causeNotFound !== undefined) lines.push(labelled(causes.length === 0 ? 'caused by' : '', `${name(causeNotFound)}, which is not in the journal, or not for you to see`))
  treeOf(derived).forEach((line, place) => lines.push(labelled(place === 0 ? 'led to' : '', line)))
  if (derived.length === 0) lines.push(labelled('led to', trace.derivedComplete ? 'nothing' : 'nothing so far as was looked'))
  else if (!trace.derivedComplete) lines.push(labelled('', '… and perhaps more: only so much of the journal was looked through'))
  if (trace.workers.length > 0) lines.push('', ...workerTable(trace.workers))
  if (trace.sessions) lines.push(...sessionsStory(trace.sessions, trace.sessionsMore ?? 0, ink))
  return lines
}

function refusedStory({ eventId, at, error, partition, letter, received }: RefusedTrace, ink: Ink): string[] {
  return [
    `${paint(name(eventId), 'bold', ink)}  ${paint('refused', 'bad', ink)}`,
    labelled('received', receivedOf(received)),
    labelled('refused', `${moment(at)}: ${name(error.code)}: ${sentence(error.message)}`),
    labelled('kept as', `dead letter ${partition}/${name(letter)}: \`hubbub dead show\` shows it, \`hubbub dead replay\` tries it again`),
  ]
}

function unknownStory({ eventId, since, looked, complete, sessions }: UnknownTrace, ink: Ink): string[] {
  const how = complete ? `all that the journal has, back to ${moment(since)}` : `the newest entries, back to ${moment(since)}; by its cursor it would be found however old it is`
  return [
    `${paint(name(eventId), 'bold', ink)}  ${paint('unknown', 'bad', ink)}`,
    `Never accepted, of another project, not for you to see, or trimmed. Looked through: ${looked === undefined ? '' : `${looked} entries, `}${how}.`,
    ...(sessions ? sessionsStory(sessions, 0, ink) : []),
  ]
}

function receivedOf({ at, by, worker, stream, entry }: Received): string {
  const whom = by === undefined ? 'by —' : `by ${name(by)}`
  if (stream === undefined) return `${moment(at)} ${whom}, through —`
  return `${moment(at)} ${whom}, ${worker === undefined ? 'written to the source stream directly' : `through ${name(worker)}`}, as ${name(stream)} ${entry === undefined ? '—' : name(entry)}`
}

/** Each with what followed from it, drawn with lines. */
function treeOf(events: readonly DerivedEvent[], stem = ''): string[] {
  return events.flatMap((event, place) => {
    const isLast = place === events.length - 1
    const deeper = stem.length < DEEPEST * 3 ? `${stem}${isLast ? '   ' : '│  '}` : stem
    return [`${stem}${isLast ? '└─ ' : '├─ '}${oneOf(event)}`, ...treeOf(event.derived, deeper)]
  })
}

function workerTable(workers: readonly WorkerAccount[]): string[] {
  const rows = workers.map(({ worker, answered, matched, live, caughtUp, catchingUp, slow, gap, superseded, gone }) =>
    answered ? [name(worker), ...[matched, live, caughtUp, catchingUp, slow, gap, superseded, gone].map(String)] : [name(worker), ...Array<string>(8).fill('—'), 'did not answer'],
  )
  return table([['WORKER', 'MATCHED', 'LIVE', 'CAUGHT UP', 'CATCHING UP', 'SLOW', 'GAP', 'SUPERSEDED', 'GONE'], ...rows])
}

function sessionsStory(sessions: readonly SessionAccount[], more: number, ink: Ink): string[] {
  if (sessions.length === 0) return ['', 'No session of that subject is known to the workers that answered.']
  const lines = sessions.flatMap((account) => [
    '',
    `${name(account.session)}  ${name(account.subject)}, ${name(account.wire)}, ${account.worker === '' ? 'on no worker' : `on ${name(account.worker)}`}: ${paint(account.fate, STYLES[account.fate] ?? 'idle', ink)}`,
    `  ${sentence(account.why)}${account.at === undefined ? '' : ` (${moment(account.at)})`}`,
    ...(account.subscriptionId === undefined ? [] : [`  subscription ${name(account.subscriptionId)}`]),
  ])
  return more > 0 ? [...lines, '', `… and ${more} more of that subject`] : lines
}

function oneOf({ id, type }: TracedEvent): string {
  return `${name(id)}  ${name(type)}`
}

function labelled(label: string, text: string): string {
  return `${label.padEnd(LABEL)}${text}`
}

function name(text: string): string {
  return shown(text, NAME)
}

function sentence(text: string): string {
  return shown(text, SENTENCE)
}

/** Of a megabyte only what could be seen is gone through. */
function shown(text: string, columns: number): string {
  return clip(plain(text.slice(0, columns * 8)), columns)
}

/** @param at ISO 8601 */
function moment(at: string): string {
  return plain(at.slice(0, 24)).replace('T', ' ')
}
