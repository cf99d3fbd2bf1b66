import type { ReactNode } from 'react'
import type { ClientState } from '@hubbub/client'
import type { ConnectionView } from './connectionStore.js'
import { useConnection } from './useConnection.js'

export interface ConnectionStatusProps {
  /** Besides `hubbub-status` and `hubbub-status--<state>`. */
  className?: string
  /** Texts of states, where other ones are wanted. */
  texts?: Partial<Record<ClientState, string>>
  /** What to show instead of the text. */
  children?: (connection: ConnectionView) => ReactNode
}

export const CONNECTION_TEXTS: Readonly<Record<ClientState, string>> = {
  connecting: 'Connecting…',
  'catching-up': 'Catching up…',
  live: 'Live',
  offline: 'Offline, trying again…',
  closed: 'Disconnected',
}

/** The connection's state for people: announced by screen readers when it changes, styled by class names or `data-state`. */
export function ConnectionStatus({ className, texts, children }: ConnectionStatusProps): ReactNode {
  const connection = useConnection()
  const { state } = connection
  const names = ['hubbub-status', `hubbub-status--${state}`, className].filter(Boolean).join(' ')
  return (
    <span role="status" aria-live="polite" aria-atomic="true" className={names} data-state={state}>
      {children ? children(connection) : (texts?.[state] ?? CONNECTION_TEXTS[state])}
    </span>
  )
}
