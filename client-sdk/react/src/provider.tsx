import { createContext, useContext, useEffect, useMemo, type ReactNode } from 'react'
import type { Client, ConnectOptions } from '@hubbub/client'
import { useEqual, useLatest } from './arguments.js'
import { newSession, sessionOn, type Session } from './session.js'

export type HubbubProviderProps = { children?: ReactNode } & (
  | { url: string; options?: ConnectOptions; client?: undefined }
  /** Opened and closed by you. */
  | { client: Client; url?: undefined; options?: undefined }
)

const SessionContext = createContext<Session | undefined>(undefined)

/**
 * Gives all hooks below it one connection. With `url` and `options` it is opened when the provider is mounted, and closed when it and
 * everything below are gone; other values, but not another token function, make another connection.
 */
export function HubbubProvider({ url, options, client, children }: HubbubProviderProps): ReactNode {
  const latest = useLatest(options)
  // As JSON a token function is not there: that there is one must count.
  const asked = useEqual({ url, options, renewable: typeof options?.token === 'function' })
  const session = useMemo(() => {
    if (client) return sessionOn(client)
    if (asked.url === undefined) throw new TypeError('HubbubProvider needs a url or a client')
    const first = asked.options?.token
    const current = (): string | Promise<string> => {
      const token = latest.current?.token ?? first
      return typeof token === 'function' ? token() : (token ?? '')
    }
    return newSession(asked.url, asked.options ?? {}, asked.renewable ? current : first)
  }, [client, asked, latest])
  useEffect(() => session.lease.hold(), [session])
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>
}

/** Throws where there is no provider above. */
export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('There is no <HubbubProvider> above this component.')
  return session
}

/** The client, for effects and handlers: `publish`, `command`, `tasks` and all else. The same one as long as the provider's connection is. */
export function useHubbub(): Client {
  return useSession().client
}
