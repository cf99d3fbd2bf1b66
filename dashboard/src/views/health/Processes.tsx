import { memo, type ReactNode } from 'react'
import type { Overview } from '@hubbub/client'
import { Ago, duration, useNow } from '../../parts/Ago'
import { bytes, count, millis, percent, rate, UNKNOWN } from '../../parts/figures'
import { Panel } from '../../parts/Page'
import { shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import css from './health.module.css'

type Process = Overview['processes'][number]

const PARTITIONS = 12

/** Workers and processors. What a silent one said last is not what is. */
export const Processes = memo(function Processes({ processes }: { processes: readonly Process[] }): ReactNode {
  const now = useNow()
  const ordered = processes.toSorted((a, b) => a.role.localeCompare(b.role) || a.id.localeCompare(b.id))
  return (
    <Panel title="Processes" actions={<span className={css.quiet}>{count(processes.length)}</span>}>
      <div className={css.scroll} role="region" aria-label="Processes, table" tabIndex={0}>
        <table className={css.table}>
          <thead>
            <tr>
              {['Process', 'Role', 'Status', 'Version', 'Up for', 'CPU', 'Memory', 'Loop delay', 'Connections', 'Delivered', 'Partitions'].map((name) => <th key={name} scope="col">{name}</th>)}
            </tr>
          </thead>
          <tbody>{ordered.map((one) => <Row key={one.id} process={one} now={now} />)}</tbody>
        </table>
      </div>
    </Panel>
  )
})

function Row({ process, now }: { process: Process; now: number }): ReactNode {
  const { id, node, role, version, status, startedAt, seenAt, cpu, memoryBytes, loopDelayMs, connections, rates, partitions } = process
  const isKnown = status !== 'silent'
  const known = (text: string): string => (isKnown ? text : UNKNOWN)
  return (
    <tr data-row={`process:${id}`} data-status={status}>
      <th scope="row" title={`on ${shown(node, 200)}`}><bdi className="mono">{shown(id, 60)}</bdi></th>
      <td>{role}</td>
      <td><Status status={status} tone={status === 'up' ? 'good' : status === 'draining' ? 'warn' : 'bad'} />{!isKnown && <> since <Ago at={seenAt} /></>}</td>
      <td>{shown(version, 30)}</td>
      <td>{known(duration(now - Date.parse(startedAt)))}</td>
      <td>{known(percent(cpu * 100))}</td>
      <td>{known(bytes(memoryBytes))}</td>
      <td>{known(millis(loopDelayMs))}</td>
      <td>{role === 'processor' ? UNKNOWN : known(count(connections.open))}</td>
      <td>{role === 'processor' ? UNKNOWN : known(rate(rates.delivered))}</td>
      <td>{partitions.length === 0 ? UNKNOWN : `${partitions.slice(0, PARTITIONS).join(', ')}${partitions.length > PARTITIONS ? `, … ${partitions.length} in all` : ''}`}</td>
    </tr>
  )
}
