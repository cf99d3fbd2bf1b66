import { memo, type ReactNode } from 'react'
import type { HubEvent } from '@hubbub/client'
import { useEvents } from '@hubbub/react'
import { Ago, useNow } from '../../parts/Ago'
import { Failure } from '../../parts/Failure'
import { Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { ToEvents } from '../../parts/To'
import { Status, toneOf } from '../../parts/Status'
import css from './fleet.module.css'

interface Notice {
  severity?: string
  level?: string
  title?: string
  message?: string
  component?: string
}

const TYPES = ['system.alert', 'system.notification']
const HOUR_MS = 3_600_000
const SHOWN = 5
/** Not `1h`: what a full journal no longer holds would be told as a gap. */
const MOST = 100

/** What the system said in the last hour, the newest first. */
export const Alerts = memo(function Alerts(): ReactNode {
  const { events, error, status } = useEvents<Notice>('system', { types: TYPES, since: { last: MOST }, limit: MOST })
  const now = useNow()
  const recent = events.filter(({ metadata }) => now - metadata.recordedAt < HOUR_MS).reverse()
  const isReading = status === 'connecting' || status === 'catching-up'
  return (
    <Panel title="System alerts">
      {error && <Failure error={error} />}
      {!error && recent.length === 0 && <p className={css.quiet}>{isReading ? 'Reading alerts…' : 'None in the last hour.'}</p>}
      {recent.length > 0 && <ul className={css.cases} aria-live="polite">{recent.slice(0, SHOWN).map((event) => <Alert key={event.id} event={event} />)}</ul>}
      {recent.length > SHOWN && <p className={css.quiet}>{recent.length - SHOWN} more in the last hour: see <ToEvents topic="system">the system's events</ToEvents>.</p>}
    </Panel>
  )
})

const Alert = memo(function Alert({ event: { id, type, data, metadata } }: { event: HubEvent<Notice> }): ReactNode {
  const { severity, level, title, message = '', component } = data
  const rank = severity ?? level ?? 'unknown'
  return (
    <li data-alert={id} className={css[toneOf(rank)]}>
      <span className={`cut ${css.source}`}>{component === undefined ? (type === 'system.alert' ? 'Alert' : 'Notice') : <Said text={component} most={60} />}</span>
      <Status status={rank} />
      <p>{title !== undefined && <><strong><Said text={title} most={120} /></strong> </>}<Said text={message} most={400} /> · <Ago at={metadata.recordedAt} /></p>
    </li>
  )
})
