import type { ReactNode } from 'react'
import type { Trace } from '@hubbub/client'
import { count, counted, millis } from '../../parts/figures'
import { Said } from '../../parts/Said'
import { Status, type Tone } from '../../parts/Status'
import { EventButton } from './EventButton'
import css from './events.module.css'

type Committed = Trace & { status: 'committed' }
type Derived = Committed['derived'][number]
type Worker = Committed['workers'][number]
type Session = NonNullable<Committed['sessions']>[number]

interface Tracing {
  trace: Trace
  /** Whom it was asked about. */
  about: string | undefined
  onOpen: (id: string) => void
}

/** The story of one event, from its coming in to the sessions that have it. */
export function Traced({ trace, about, onOpen }: Tracing): ReactNode {
  if (trace.status === 'unknown') {
    return (
      <>
        <p className={css.hint}>The hub does not know it: never accepted, of another project, or no longer kept. It looked {trace.looked !== undefined && `through ${counted(trace.looked, 'entry', 'entries')}, `}back to {when(trace.since)}{trace.complete ? ', where its journal begins' : '; its journal reaches further back, and the event\'s cursor would find it there'}.</p>
        {trace.sessions && <Sessions sessions={trace.sessions} about={about} />}
      </>
    )
  }
  if (trace.status === 'refused') {
    return (
      <ol className={css.story}>
        <Received received={trace.received} />
        <li><Status status="refused" tone="bad" /> {when(trace.at)}: <code>{trace.error.code}</code> <Said text={trace.error.message} />. It lies among the dead letters of partition {trace.partition}, as <code><Said text={trace.letter} /></code>.</li>
      </ol>
    )
  }
  const { received, committed, causes, causeNotFound, derived, derivedComplete, workers, sessions, sessionsMore } = trace
  return (
    <ol className={css.story}>
      <Received received={received} />
      <li>
        <strong>Committed</strong> {when(committed.at)}, {millis(committed.afterMs)} later, at <code>{committed.offset}</code> of partition {committed.partition}
        {committed.processor !== undefined && <> by <code><Said text={committed.processor} /></code></>}{committed.batch !== undefined && <>, batch {count(committed.batch)}</>}.
      </li>
      {(causes.length > 0 || causeNotFound !== undefined) && (
        <li>
          <strong>Caused by</strong>{causes.length > 0 && ', the nearest first:'}
          <ul>{causes.map(({ id, type }) => <li key={id}><EventButton id={id} type={type} onOpen={onOpen} /></li>)}</ul>
          {causeNotFound !== undefined && <span className={css.aside}><code><Said text={causeNotFound} most={120} /></code>, which was not found: no longer kept, no event, or not for you to see.</span>}
        </li>
      )}
      <li><strong>What followed</strong>{derived.length === 0 ? ': nothing' : ':'}<Tree derived={derived} onOpen={onOpen} />{!derivedComplete && <span className={css.aside}> More may have followed than was looked for.</span>}</li>
      <li><Workers workers={workers} /></li>
      {sessions && <li><Sessions sessions={sessions} about={about} />{sessionsMore !== undefined && <span className={css.aside}>and {count(sessionsMore)} more</span>}</li>}
    </ol>
  )
}

function Received({ received: { at, by, worker, stream, entry } }: { received: Committed['received'] }): ReactNode {
  return (
    <li>
      <strong>Received</strong> {when(at)}{by !== undefined && <> from <code><Said text={by} /></code></>}{worker !== undefined && <> by worker <code><Said text={worker} /></code></>}
      {stream !== undefined && <>, source stream <code><Said text={stream} /></code>{entry !== undefined && <> entry <code>{entry}</code></>}</>}.
    </li>
  )
}

const DEEPEST = 20

function Tree({ derived, onOpen, depth = 0 }: { derived: readonly Derived[]; onOpen: (id: string) => void; depth?: number }): ReactNode {
  if (derived.length === 0 || depth > DEEPEST) return null
  return <ul className={css.tree}>{derived.map((one) => <li key={one.id}><EventButton id={one.id} type={one.type} onOpen={onOpen} /><Tree derived={one.derived} onOpen={onOpen} depth={depth + 1} /></li>)}</ul>
}

const COUNTS = [['matched', 'matched'], ['live', 'live'], ['caughtUp', 'caught up'], ['catchingUp', 'catching up'], ['slow', 'slow'], ['gap', 'gap'], ['superseded', 'superseded'], ['gone', 'gone']] as const

function Workers({ workers }: { workers: readonly Worker[] }): ReactNode {
  if (workers.length === 0) return <>How many sessions had it is told to admins.</>
  return (
    <>
      <strong>Sessions</strong> of this project, by worker
      <div className={css.scroll} tabIndex={0} role="region" aria-label="Sessions by worker">
        <table className={css.table} aria-label="Sessions by worker">
          <thead><tr><th scope="col">worker</th>{COUNTS.map(([, label]) => <th key={label} scope="col">{label}</th>)}</tr></thead>
          <tbody>{workers.map((one) => <tr key={one.worker}><th scope="row"><Said text={one.worker} most={80} /></th>{one.answered ? COUNTS.map(([name]) => <td key={name}>{count(one[name])}</td>) : <td colSpan={COUNTS.length}>did not answer in time: not known</td>}</tr>)}</tbody>
        </table>
      </div>
    </>
  )
}

const TONES: Readonly<Record<string, Tone>> = { live: 'good', 'caught-up': 'good', slow: 'warn', 'catching-up': 'busy', gap: 'bad', superseded: 'idle' }

function Sessions({ sessions, about }: { sessions: readonly Session[]; about: string | undefined }): ReactNode {
  if (sessions.length === 0) return <>Nothing is known of {about === undefined ? 'such a session' : <Said text={about} most={120} />}.</>
  return (
    <ul className={css.sessions}>
      {sessions.map(({ session, subject, worker, wire, fate, why, at }) => (
        <li key={session} data-fate={fate}>
          <Status status={fate.replaceAll('-', ' ')} tone={Object.hasOwn(TONES, fate) ? TONES[fate]! : 'warn'} /> <Said text={why} />
          <div className={css.aside}><Said text={subject} most={80} />, session <code><Said text={session} most={80} /></code> over {wire} on <Said text={worker} most={80} />{at !== undefined && <>, {when(at)}</>}</div>
        </li>
      ))}
    </ul>
  )
}

function when(at: string): string {
  const ms = Date.parse(at)
  return Number.isNaN(ms) ? '—' : new Date(ms).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' })
}
