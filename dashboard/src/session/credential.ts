/** The visitor's token: from `#token=...` of the printed address, or pasted. It is kept for this tab alone, and never part of a request's address. */
import { useEffect, useMemo, useState } from 'react'

export interface Credential {
  token?: string
  project?: string
}

export interface CredentialActions {
  signIn: (credential: Credential) => void
  choose: (project: string) => void
  signOut: () => void
}

const KEY = 'hubbub.credential'

export function useCredential(): [Credential, CredentialActions] {
  const [credential, set] = useState(first)
  const actions = useMemo(() => {
    const keep = (next: Credential): void => {
      remember(next)
      set(next)
    }
    return {
      signIn: keep,
      choose: (project: string) => set((before) => {
        const next = { ...before, project }
        remember(next)
        return next
      }),
      signOut: () => keep({}),
    }
  }, [])
  // A printed address that is given to a tab in which the page is open: to the browser nothing but its fragment is new.
  useEffect(() => {
    const look = (): void => {
      const given = taken()
      if (given) set(given)
    }
    window.addEventListener('hashchange', look)
    return () => window.removeEventListener('hashchange', look)
  }, [])
  return [credential, actions]
}

/** What a JWT says of itself; nothing for anything else. Read, not verified: that is the hub's to do. */
export interface Claims {
  sub?: string
  role?: string
  project?: string
  projects: string[]
  /** ms since the epoch */
  expiresAt?: number
}

export function claimsOf(token: string | undefined): Claims {
  try {
    const payload = token?.split('.')[1] ?? ''
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
    const projects = Array.isArray(claims['projects']) ? claims['projects'].filter((one) => typeof one === 'string') : []
    return { projects, ...text(claims, 'sub'), ...text(claims, 'role'), ...text(claims, 'project'), ...(typeof claims['exp'] === 'number' && { expiresAt: claims['exp'] * 1000 }) }
  } catch {
    return { projects: [] }
  }
}

function text<K extends string>(from: Record<string, unknown>, name: K): Partial<Record<K, string>> {
  return typeof from[name] === 'string' ? ({ [name]: from[name] } as Record<K, string>) : {}
}

/** Whose page it is: what one visitor saw is not the next one's to see, nor one project's another one's. A renewed token is the same visitor's. */
export function identityOf({ token, project }: Credential): string {
  const { sub = token, project: usual, projects } = claimsOf(token)
  return JSON.stringify([sub, project ?? usual ?? projects[0]])
}

function first(): Credential {
  return taken() ?? kept()
}

/** An address is pasted, kept in histories and sent around: the token leaves it at once. */
function taken(): Credential | undefined {
  const given = new URLSearchParams(window.location.hash.slice(1))
  const token = given.get('token')
  if (token === null) return undefined
  const project = given.get('project') ?? undefined
  window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}#/`)
  const credential = { token, ...(project && { project }) }
  remember(credential)
  return credential
}

function kept(): Credential {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Credential
  } catch {
    return {}
  }
}

function remember(credential: Credential): void {
  try {
    if (credential.token === undefined && credential.project === undefined) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, JSON.stringify(credential))
  } catch {
    // A browser that keeps nothing still shows the hub until the page is left.
  }
}
