import { memo, type ReactNode } from 'react'
import { clockOf } from '../../parts/clock'
import { counted } from '../../parts/figures'
import { shown } from '../../parts/Said'
import { familyOf, summaryOf } from './look'
import { timeOf } from './page'
import type { EventLine, Line } from './roll'
import type { Tape } from './tape'
import css from './events.module.css'

interface Row {
  id: string
  line: Line
  /** px */
  top: number
  height: number
  /** From 1, of all lines. */
  position: number
  size: number
  isActive: boolean
  isSelected: boolean
  tape: Tape
  onOpen: (line: EventLine) => void
  onActive: (seq: number) => void
}

export function TailRow({ id, line, top, height, position, size, isActive, isSelected, tape, onOpen, onActive }: Row): ReactNode {
  const open = (): void => {
    onActive(line.seq)
    if (line.kind === 'event') onOpen(line)
    else if (line.kind === 'skipped' && line.from) tape.seek(line.from)
  }
  return (
    <div
      id={id} role="option" aria-selected={isSelected} aria-posinset={position} aria-setsize={size} data-active={isActive || undefined} data-kind={line.kind}
      className={css.row} style={{ transform: `translateY(${top}px)`, height }} onClick={open}
    >
      {line.kind === 'event' ? <EventCells line={line} /> : line.kind === 'gap' ? <GapCell line={line} /> : <span className={css.notice}>{counted(line.count, 'event')} came while the list stood still, and were too many to be kept. {line.from && 'Press to read them from the journal.'}</span>}
    </div>
  )
}

const EventCells = memo(function EventCells({ line: { event, at } }: { line: EventLine }): ReactNode {
  const { type, topics, metadata } = event
  return (
    <>
      <time className={css.time} dateTime={new Date(at).toISOString()}>{clockOf(at, true)}</time>
      <bdi className={css.type} data-family={familyOf(type)}>{shown(type, 80)}</bdi>
      <bdi className={css.topic}>{shown(topics[0] ?? '', 80)}{topics.length > 1 && <span className={css.others}> +{topics.length - 1}</span>}</bdi>
      <bdi className={css.source}>{shown(metadata.source.replace(/^\//, ''), 60)}</bdi>
      <bdi className={css.what}>{shown(summaryOf(event).replace(/\s+/g, ' '), 240)}</bdi>
    </>
  )
})

function GapCell({ line: { gap } }: { line: Line & { kind: 'gap' } }): ReactNode {
  const [from, to] = [timeOf(gap.from), timeOf(gap.to)]
  const when = to === undefined ? '' : from === undefined ? ` before ${clockOf(to)}` : ` between ${clockOf(from)} and ${clockOf(to)}`
  return <span className={css.notice} data-gap={gap.reason}><strong>Gap.</strong> Events{when} can no longer be had: {REASONS[gap.reason] ?? gap.reason}.</span>
}

const REASONS: Readonly<Record<string, string>> = { trimmed: 'the journal does not reach back so far', epoch: 'the store lost them', session: 'the session was lost' }
