import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import type { Cursor, HubError, HubEvent } from '@hubbub/client'
import { useHubbub } from '@hubbub/react'
import { Ago } from '../../parts/Ago'
import { Copy } from '../../parts/Copy'
import { Failure } from '../../parts/Failure'
import { millis } from '../../parts/figures'
import { Json } from '../../parts/Json'
import { Empty, Loading } from '../../parts/Page'
import { Said, shown } from '../../parts/Said'
import { To, ToEvents } from '../../parts/To'
import { EventButton } from './EventButton'
import type { EventLine } from './roll'
import type { Tape } from './tape'
import { Why } from './Why'
import css from './events.module.css'

interface Inspected {
  id: string
  tape: Tape
  /** As it stands in the list, when it does. */
  line: EventLine | undefined
  onOpen: (id: string) => void
  onClose: () => void
}

interface Found {
  event: HubEvent
  cursor: Cursor | undefined
}

/** One event, all of it: what it says, to what it belongs, what caused it and what it caused. */
export function Inspector({ id, tape, line, onOpen, onClose }: Inspected): ReactNode {
  const found = useEvent(id, tape, line)
  const heading = useRef<HTMLHeadingElement>(null)
  const before = useRef(document.activeElement)
  const title = useId()
  useEffect(() => {
    const opener = before.current
    heading.current?.focus({ preventScroll: true })
    // On a phone it stands above the list.
    heading.current?.parentElement?.scrollIntoView({ block: 'nearest' })
    return () => void (opener instanceof HTMLElement && document.contains(opener) && opener.focus())
  }, [])
  const close = useRef(onClose)
  useEffect(() => {
    close.current = onClose
  })
  // Wherever the focus is by now: it may have gone with what had it.
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      // In a field with a text it empties that, as browsers have it.
      const isFields = event.target instanceof HTMLInputElement && event.target.type === 'search' && event.target.value !== ''
      if (event.key === 'Escape' && !event.defaultPrevented && !isFields) close.current()
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [])
  return (
    <section className={css.inspector} aria-labelledby={title}>
      <header className={css.inspectorHead}>
        <h2 id={title} tabIndex={-1} ref={heading}>{found && 'event' in found ? <Said text={found.event.type} most={128} /> : 'Event'}</h2>
        {found && 'event' in found && <Copy what="event" text={() => JSON.stringify(found.event, null, 2)} />}
        <button type="button" className="plain" aria-label="Close the event" onClick={onClose}>✕</button>
      </header>
      {found === undefined && <Loading what="the event" />}
      {found && 'error' in found && <Failure error={found.error} />}
      {found && 'nothing' in found && <Empty>{found.nothing}</Empty>}
      {found && 'event' in found && (
        <>
          <Envelope {...found} />
          <h3>Data</h3>
          <Json value={found.event.data} label="Data of the event" />
          <Kin event={found.event} tape={tape} onOpen={onOpen} />
        </>
      )}
      <Why id={id} onOpen={onOpen} />
    </section>
  )
}

type Looked = Found | { error: HubError } | { nothing: string } | undefined

/** From the list, else from the journal, where it may be looked up. */
function useEvent(id: string, tape: Tape, line: EventLine | undefined): Looked {
  const hub = useHubbub()
  const [found, setFound] = useState<Looked>(() => line ?? tape.find(id))
  useEffect(() => {
    if (found) return
    let isLeft = false
    hub.operator.trace(id).then(
      (trace) => !isLeft && setFound(trace.status === 'committed' ? { event: trace.event, cursor: trace.cursor } : { nothing: trace.status === 'refused' ? 'It was refused, and never became an event: see below.' : 'It is neither in the list nor in the journal.' }),
      (error: HubError) => !isLeft && setFound({ error }),
    )
    return () => void (isLeft = true)
  }, [hub, id, found])
  return found
}

function Envelope({ event, cursor }: Found): ReactNode {
  const { id, timestamp, topics, project, metadata } = event
  const { source, subject, recordedAt, version, correlationId, causationId: _, traceparent, tracestate, ...rest } = metadata
  const others = Object.entries({ traceparent, tracestate, ...rest }).filter(([, value]) => value !== undefined)
  return (
    <dl className={css.envelope}>
      <dt>Id</dt><dd><code><Said text={id} /></code> <Copy what="id" text={() => id} /></dd>
      <dt>Recorded</dt><dd>{new Date(recordedAt).toLocaleString()} (<Ago at={recordedAt} />)</dd>
      <dt>Happened</dt><dd>{new Date(timestamp).toLocaleString()}{Math.abs(recordedAt - timestamp) >= 1 && <span className={css.aside}> {millis(Math.abs(recordedAt - timestamp))} {recordedAt >= timestamp ? 'before' : 'after'}, by its producer's clock</span>}</dd>
      <dt>Topics</dt><dd className={css.topics}>{topics.map((topic) => <Topic key={topic} topic={topic} />)}</dd>
      <dt>Source</dt><dd><code><Said text={source} /></code></dd>
      {subject !== undefined && <><dt>Subject</dt><dd><Said text={subject} /></dd></>}
      {correlationId !== undefined && <><dt>Correlation</dt><dd><code><Said text={correlationId} /></code></dd></>}
      {others.map(([name, value]) => <div key={name} className={css.pair}><dt>{name}</dt><dd><code><Said text={typeof value === 'string' ? value : JSON.stringify(value)} /></code></dd></div>)}
      <dt>Project</dt><dd><Said text={project} /></dd>
      <dt>Version</dt><dd><Said text={version} /></dd>
      {cursor !== undefined && <><dt>Cursor</dt><dd><code>{cursor}</code> <Copy what="cursor" text={() => cursor} /></dd></>}
    </dl>
  )
}

/** To the view of what the topic names, and to its events. */
function Topic({ topic }: { topic: string }): ReactNode {
  const [family, id] = [topic.slice(0, Math.max(0, topic.indexOf(':'))), topic.slice(topic.indexOf(':') + 1)]
  const hasView = (family === 'agent' || family === 'task' || family === 'run' || family === 'pipeline') && !/:stage:\d+$/.test(id)
  return <span className={css.topicLink}>{hasView ? <To kind={family} id={id} text={topic} /> : <Said text={topic} most={200} />} <ToEvents topic={topic}><span className="sr-only">Events of {shown(topic, 100)}</span><span aria-hidden="true">≋</span></ToEvents></span>
}

/** As far as the list knows them, which costs the hub nothing. */
function Kin({ event, tape, onOpen }: { event: HubEvent; tape: Tape; onOpen: (id: string) => void }): ReactNode {
  const { causationId, correlationId } = event.metadata
  const [{ caused, correlated }] = useState(() => ({
    caused: tape.filter((other) => other.metadata.causationId === event.id),
    correlated: correlationId === undefined ? [] : tape.filter((other) => other.metadata.correlationId === correlationId && other.id !== event.id),
  }))
  if (causationId === undefined && caused.length === 0 && correlated.length === 0) return null
  return (
    <>
      <h3>In the list</h3>
      {causationId !== undefined && <Related label="It was caused by" ids={[{ id: causationId, type: tape.find(causationId)?.event.type }]} onOpen={onOpen} />}
      {caused.length > 0 && <Related label="It caused" ids={caused.map((line) => line.event)} onOpen={onOpen} />}
      {correlated.length > 0 && <Related label="Of the same correlation" ids={correlated.map((line) => line.event)} onOpen={onOpen} />}
    </>
  )
}

const MOST = 20

function Related({ label, ids, onOpen }: { label: string; ids: readonly { id: string; type: string | undefined }[]; onOpen: (id: string) => void }): ReactNode {
  return (
    <div className={css.related}>
      <span>{label}</span>
      <ul>{ids.slice(0, MOST).map(({ id, type }) => <li key={id}><EventButton id={id} type={type} onOpen={onOpen} /></li>)}</ul>
      {ids.length > MOST && <span className={css.aside}>and {ids.length - MOST} more</span>}
    </div>
  )
}
