/**
 * The address as views use it: `#/tasks/octo%2Fhub%237?status=failed`. The router decodes addresses as a whole (`decodeURI`), which leaves
 * `%2F` and `%23` in an id and cannot be undone without breaking ids that have a `%`: so ids and choices are read from the address itself.
 */
import { useCallback, useMemo } from 'react'
import { useLocation } from 'wouter'
import { useLocationProperty } from 'wouter/use-browser-location'

const ROUTE = /^#?\/?([^?]*)\??(.*)$/s

/** @param view of the path: `tasks`, `agents`, ... */
export function wayTo(view: string, id: string): string {
  return `/${view}/${encodeURIComponent(id.replace(/\p{Surrogate}/gu, '\ufffd'))}`
}

/** A list's view with choices made: `wayWith('tasks', { pipeline: 'p1' })`. */
export function wayWith(view: string, choices: Readonly<Record<string, string>>): string {
  return `/${view}?${new URLSearchParams(choices).toString()}`
}

/** The id behind the view's name; '' where there is none. */
export function useAddressId(): string {
  const hash = useLocationProperty(currentHash, () => '')
  return useMemo(() => decoded(ROUTE.exec(hash)?.[1]?.split('/')[1] ?? ''), [hash])
}

export type Choices = Readonly<URLSearchParams>
/** An empty text or undefined takes a choice out of the address. */
export type Choose = (changes: Readonly<Record<string, string | undefined>>) => void

/** What the visitor chose, as it stands in the address: it outlives a reload and can be sent to others. It makes no entry of its own in the history. */
export function useChoices(): [Choices, Choose] {
  const query = useLocationProperty(currentQuery, () => '')
  const [, navigate] = useLocation()
  const choices = useMemo(() => new URLSearchParams(query), [query])
  const choose = useCallback<Choose>((changes) => {
    const next = new URLSearchParams(currentQuery())
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === '') next.delete(name)
      else next.set(name, value)
    }
    const path = ROUTE.exec(currentHash())?.[1] ?? ''
    navigate(`/${path}?${next.toString()}`, { replace: true })
  }, [navigate])
  return [choices, choose]
}

function currentHash(): string {
  return window.location.hash
}

function currentQuery(): string {
  return ROUTE.exec(window.location.hash)?.[2] ?? ''
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
