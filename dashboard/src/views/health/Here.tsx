import type { ReactNode } from 'react'
import { useConnection } from '@hubbub/react'
import { Failure } from '../../parts/Failure'
import { Panel } from '../../parts/Page'
import { Status } from '../../parts/Status'
import css from './health.module.css'

const WAYS: Readonly<Record<string, string>> = { websocket: 'WebSocket', polling: 'Socket.IO long-polling: no WebSocket passes between here and the hub', http: 'HTTP requests: neither WebSocket nor long-polling passes' }

/** What everybody may know: how this page itself is connected. */
export function Here(): ReactNode {
  const { state, transport, error } = useConnection()
  return (
    <Panel title="This page" actions={<Status status={state} tone={state === 'live' ? 'good' : state === 'offline' || state === 'closed' ? 'bad' : 'busy'} />}>
      <dl className={css.facts}>
        <dt>Hub</dt><dd className="mono">{window.location.host}</dd>
        <dt>Way</dt><dd>{transport === undefined ? 'not connected' : (WAYS[transport] ?? transport)}</dd>
      </dl>
      {error && <Failure error={error} />}
    </Panel>
  )
}
