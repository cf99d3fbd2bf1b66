import type { ReactNode } from 'react'
import { counted, UNKNOWN } from '../../parts/figures'
import { toneOf, type Tone } from '../../parts/Status'
import { STATUSES, type StatusChoice } from './selection'
import css from './fleet.module.css'

type Counts = Readonly<Record<StatusChoice, number>>

/** How the fleet is, in one sentence. */
export function Summary({ counts, isLive }: { counts: Counts; isLive: boolean }): ReactNode {
  if (counts.all === 0) return 'nobody is here'
  const agents = counted(counts.all, 'agent')
  const was = isLive ? '' : ' (when last heard)'
  if (counts.attention > 0) return <strong className={css.alarm}>{counts.attention} of {agents} {counts.attention === 1 ? 'needs' : 'need'} attention{was}</strong>
  const gone = counts.offline > 0 ? `, ${counts.offline} offline` : ''
  return `${agents}${gone}; none needs attention${was}`
}

/** These are always there, so that the line does not jump; the others when there is one. */
const ALWAYS: ReadonlySet<StatusChoice> = new Set<StatusChoice>(['all', 'busy', 'idle', 'stalled', 'error', 'stale', 'offline'])
const NAMES: Partial<Record<StatusChoice, string>> = { all: 'All', attention: 'Need attention' }

/** How many of each status; each is a filter. */
export function Totals({ counts, isKnown, value, onChange }: { counts: Counts; isKnown: boolean; value: StatusChoice; onChange: (value: StatusChoice) => void }): ReactNode {
  const choices: StatusChoice[] = ['all', ...STATUSES]
  return (
    <div role="group" aria-label="Agents by status" className={css.totals}>
      {choices.filter((status) => ALWAYS.has(status) || counts[status] > 0 || status === value).map((status) => (
        <button key={status} type="button" aria-pressed={status === value} className={`${css.total} ${css[toneFor(status)]} ${counts[status] === 0 ? css.zero : ''}`} data-total={status} onClick={() => onChange(status === value ? 'all' : status)}>
          <span className={css.number}>{isKnown ? counts[status] : UNKNOWN}</span> <span>{NAMES[status] ?? status}</span>
        </button>
      ))}
    </div>
  )
}

function toneFor(status: StatusChoice): Tone {
  return status === 'stalled' || status === 'attention' ? 'bad' : status === 'offline' ? 'warn' : toneOf(status)
}
