import { memo, type ReactNode } from 'react'
import type { Overview } from '@hubbub/client'
import { count, millis, rate } from '../../parts/figures'
import { Panel } from '../../parts/Page'
import { shown } from '../../parts/Said'
import { Sparkline } from '../../parts/Sparkline'
import type { Tone } from '../../parts/Status'
import { lineOf, type Course, type Moment } from './course'
import css from './health.module.css'

interface Shown {
  overview: Overview
  course: Course
}

const RATES: readonly { name: keyof Overview['rates']; tone: Tone; about: string }[] = [
  { name: 'accepted', tone: 'busy', about: 'taken in' },
  { name: 'committed', tone: 'good', about: 'written to the journal' },
  { name: 'delivered', tone: 'mark', about: 'to all subscribers together' },
  { name: 'refused', tone: 'bad', about: 'answered with a code' },
]

/** Events a second. */
export const Rates = memo(function Rates({ overview: { rates }, course }: Shown): ReactNode {
  return (
    <Panel title="Events a second" actions={<Span course={course} />}>
      <dl className={css.tiles}>
        {RATES.map(({ name, tone, about }) => (
          <div key={name} data-rate={name}>
            <dt title={about}>{name}</dt>
            <dd>
              {rate(rates[name])}
              <Sparkline values={lineOf(course, (moment) => moment.rates[name])} label={`${name}, ${about}, of the last minutes; now ${rate(rates[name])}`} tone={tone} width={160} height={36} />
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
})

const WAYS: readonly { name: keyof Overview['latency']; about: string; of: (moment: Moment) => number | null }[] = [
  { name: 'commit', about: 'Source to journal', of: ({ commitP95 }) => commitP95 },
  { name: 'delivery', about: 'Journal to socket', of: ({ deliveryP95 }) => deliveryP95 },
]

export const Latency = memo(function Latency({ overview: { latency }, course }: Shown): ReactNode {
  return (
    <Panel title="Latency of the last minute">
      <div className={css.scroll} role="region" aria-label="Latencies, table" tabIndex={0}>
        <table className={css.table}>
          <thead><tr><th scope="col">Way</th><th scope="col">p50</th><th scope="col">p95</th><th scope="col">p99</th><th scope="col">p95, last minutes</th></tr></thead>
          <tbody>
            {WAYS.map(({ name, about, of }) => (
              <tr key={name} data-latency={name}>
                <th scope="row">{about}</th>
                <td>{millis(latency[name].p50)}</td>
                <td>{millis(latency[name].p95)}</td>
                <td>{millis(latency[name].p99)}</td>
                <td><Sparkline values={lineOf(course, of)} label={`${about}, 95th percentile, of the last minutes; now ${millis(latency[name].p95)}`} width={96} height={24} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
})

export const Connections = memo(function Connections({ connections }: { connections: Overview['connections'] }): ReactNode {
  const { open, active, byTransport, subscriptions, catchingUp, slow } = connections
  const ways = Object.entries(byTransport).filter(([, number]) => number > 0).toSorted(([, a], [, b]) => b - a)
  return (
    <Panel title="Connections" actions={<strong>{count(open)} open</strong>}>
      <ul className={css.bars} aria-label="By transport">
        {ways.map(([name, number]) => (
          <li key={name} data-transport={name}>
            <span>{shown(name, 40)}</span>
            <span className={css.bar}><span style={{ width: `${Math.min(100, (number / Math.max(1, open)) * 100)}%` }} /></span>
            <span>{count(number)}</span>
          </li>
        ))}
      </ul>
      <dl className={css.facts}>
        <dt>With a subscription</dt><dd>{count(active)}</dd>
        <dt>Subscriptions</dt><dd>{count(subscriptions)}</dd>
        <dt>Catching up</dt><dd>{count(catchingUp)}</dd>
        <dt>Too slow, last minute</dt><dd className={slow > 0 ? css.warn : ''}>{count(slow)}</dd>
      </dl>
    </Panel>
  )
})

function Span({ course }: { course: Course }): ReactNode {
  const first = course.find((moment) => moment !== null)
  return first ? <span className={css.quiet}>lines since {new Date(first.at).toLocaleTimeString()}</span> : null
}
