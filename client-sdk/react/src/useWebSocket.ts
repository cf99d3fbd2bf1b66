import { useMemo, useSyncExternalStore } from 'react'
import type { ConnectOptions, HubError, PublishResult } from '@hubbub/client'
import { useEqual, useLatest } from './arguments.js'
import type { OutgoingMessage, WebSocketMessage } from './message.js'
import { MessageStore, type MessageReader, type WebSocketInterest } from './messageStore.js'

export interface WebSocketOptions extends ConnectOptions, Partial<WebSocketInterest>, MessageReader {}

export interface WebSocketHandle {
  readonly isConnected: boolean
  /** The last one of this frame; `onMessage`, or a handler of `subscribe`, gets every one. */
  readonly lastMessage: WebSocketMessage | null
  /** What went wrong last. */
  readonly error: HubError | undefined
  /** Resolves when it stands in the journal; without a connection it waits for one. Rejects with the hub's refusal. */
  readonly sendMessage: (message: OutgoingMessage) => Promise<PublishResult>
  /** For effects: `useEffect(() => subscribe('agent:coder-1', show), [subscribe])`. Ends with the component at the latest. */
  readonly subscribe: (what: string | string[] | WebSocketInterest, handler?: (message: WebSocketMessage) => void) => () => void
}

/**
 * A connection without a provider, with messages of the form `{ id, type, timestamp, data, metadata }` and the older names of types.
 * `topics` in the options is subscribed to while the component is mounted. Components with equal `url` and options share a connection,
 * unless the token is a function.
 */
export function useWebSocket(url: string, options: WebSocketOptions = {}): WebSocketHandle {
  const { topics, types, filter, since, onMessage, ...connecting } = options
  const reader = useLatest<MessageReader & { token?: ConnectOptions['token'] }>({ onMessage, token: connecting.token })
  const asked = useEqual({ url, connecting, renewable: typeof connecting.token === 'function', interest: topics && { topics, types, filter, since } })
  const store = useMemo(() => {
    const { token } = asked.connecting
    const current = (): string | Promise<string> => {
      const latest = reader.current.token
      return typeof latest === 'function' ? latest() : (latest ?? '')
    }
    return new MessageStore(asked.url, { ...asked.connecting, token: asked.renewable ? current : token }, asked.interest, reader)
  }, [asked, reader])
  const view = useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot)
  return { ...view, sendMessage: store.send, subscribe: store.join }
}
