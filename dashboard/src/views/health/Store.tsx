import { memo, type ReactNode } from 'react'
import type { Overview } from '@hubbub/client'
import { bytes, count, millis, percent, UNKNOWN } from '../../parts/figures'
import { Panel } from '../../parts/Page'
import { Progress } from '../../parts/Progress'
import { shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import css from './health.module.css'

const NAMES = { memory: 'In memory: forgotten when the hub stops', redis: 'Redis' } as const

export const StoreAndSinks = memo(function StoreAndSinks({ store, sinks }: { store: Overview['store']; sinks: Overview['sinks'] | undefined }): ReactNode {
  const { kind, pingMs, version, memoryBytes, memoryLimitBytes, clients, operations } = store
  const share = memoryBytes !== undefined && memoryLimitBytes ? (memoryBytes / memoryLimitBytes) * 100 : undefined
  return (
    <Panel title="Store and sinks" actions={pingMs === null ? <Status status="out of reach" tone="bad" /> : <Status status="up" />}>
      <dl className={css.facts}>
        <dt>Kind</dt><dd>{NAMES[kind]}{version !== undefined && ` ${shown(version, 40)}`}</dd>
        <dt>Round trip</dt><dd>{pingMs === null ? UNKNOWN : millis(pingMs)}</dd>
        <dt>Memory</dt>
        <dd>
          {bytes(memoryBytes)}{memoryLimitBytes !== undefined ? ` of ${bytes(memoryLimitBytes)} (${percent(share)})` : kind === 'redis' && memoryBytes !== undefined ? ', no limit is set' : ''}
          {share !== undefined && <Progress value={share} label="The store's memory" tone={share >= 90 ? 'bad' : share >= 75 ? 'warn' : 'good'} />}
        </dd>
        {kind === 'redis' && <><dt>Its clients</dt><dd>{count(clients)}</dd><dt>Commands</dt><dd>{operations === undefined ? UNKNOWN : `${count(operations)} /s`}</dd></>}
        <dt>Sinks</dt><dd>{sinks ? <>{count(sinks.active)} active{sinks.paused > 0 && <strong className={css.warn}>, {count(sinks.paused)} paused</strong>}</> : UNKNOWN}</dd>
      </dl>
    </Panel>
  )
})
