import type { ReactNode } from 'react'

/** A link out of the dashboard, to an address that somebody else wrote: only http and https, or it is text. */
export function Out({ href, children }: { href: string | undefined; children: ReactNode }): ReactNode {
  const safe = href === undefined ? undefined : addressOf(href)
  return safe === undefined ? children : <a href={safe} target="_blank" rel="noopener noreferrer">{children}</a>
}

function addressOf(text: string): string | undefined {
  const url = URL.parse(text)
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined
}
