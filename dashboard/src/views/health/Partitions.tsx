import { memo, useState, type ReactNode } from 'react'
import type { Overview } from '@hubbub/client'
import { count, counted, UNKNOWN } from '../../parts/figures'
import { Panel } from '../../parts/Page'
import { shown } from '../../parts/Said'
import { LAG } from './verdict'
import css from './health.module.css'

type Partition = Overview['partitions'][number]

/** A field a partition: its number, its lag as a figure and a colour, and marks for what nobody owns and what has dead letters. */
export const Partitions = memo(function Partitions({ partitions }: { partitions: readonly Partition[] }): ReactNode {
  const [isOpen, setOpen] = useState(false)
  const lag = partitions.reduce((sum, one) => sum + one.lag, 0)
  return (
    <Panel title="Partitions" actions={<span className={css.quiet}>{counted(partitions.length, 'partition')}, {counted(lag, 'entry', 'entries')} behind</span>}>
      <ul className={css.heat} aria-label="Lag by partition">
        {partitions.map((one) => (
          <li key={one.partition} className={css[heatOf(one)]} title={inWords(one)} data-row={`partition:${one.partition}`} data-status={one.owner === null ? 'unowned' : 'owned'}>
            <span className={css.which} aria-hidden="true">{one.partition}</span>
            <strong aria-hidden="true">{count(one.lag)}</strong>
            <span className={css.marks} aria-hidden="true">{one.owner === null ? 'no owner' : one.deadLetters > 0 ? `✉ ${count(one.deadLetters)}` : ''}</span>
            <span className="sr-only">{inWords(one)}</span>
          </li>
        ))}
      </ul>
      <p className={css.quiet}>Entries that wait to be committed: <span className={`${css.key} ${css.none}`}>none</span> <span className={`${css.key} ${css.few}`}>under {LAG.some}</span> <span className={`${css.key} ${css.some}`}>under {count(LAG.much)}</span> <span className={`${css.key} ${css.much}`}>more, or no owner</span></p>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>As a table</summary>
        {isOpen && <AsTable partitions={partitions} />}
      </details>
    </Panel>
  )
})

function AsTable({ partitions }: { partitions: readonly Partition[] }): ReactNode {
  return (
    <div className={css.scroll} role="region" aria-label="Partitions, table" tabIndex={0}>
      <table className={css.table}>
        <thead><tr><th scope="col">Partition</th><th scope="col">Owner</th><th scope="col">Lag, entries</th><th scope="col">Dead letters</th></tr></thead>
        <tbody>
          {partitions.map(({ partition, owner, lag, deadLetters }) => (
            <tr key={partition}>
              <th scope="row">{partition}</th>
              <td>{owner === null ? <span className={css.bad}>nobody</span> : <bdi className="mono">{shown(owner, 80)}</bdi>}</td>
              <td>{count(lag)}</td>
              <td>{count(deadLetters)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function heatOf({ owner, lag }: Partition): 'none' | 'few' | 'some' | 'much' {
  if (owner === null || lag >= LAG.much) return 'much'
  return lag >= LAG.some ? 'some' : lag > 0 ? 'few' : 'none'
}

function inWords({ partition, owner, lag, deadLetters }: Partition): string {
  return `Partition ${partition}: ${counted(lag, 'entry', 'entries')} behind, ${counted(deadLetters, 'dead letter')}, owner ${owner === null ? `${UNKNOWN} nobody` : shown(owner, 80)}`
}
