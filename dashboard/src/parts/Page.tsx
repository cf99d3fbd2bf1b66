import { useEffect, useRef, type ReactNode } from 'react'
import css from './parts.module.css'

/** A view: its name, what can be done about all of it, and its content. The name is in the window's title, and read out when the view changes. */
export function Page({ title, actions, children, summary }: { title: string; actions?: ReactNode; summary?: ReactNode; children: ReactNode }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Hubbub`
  }, [title])
  // With the view, not with each change of what it is of; and not from under whoever goes through the projects by keys.
  useEffect(() => {
    if (!(document.activeElement instanceof HTMLSelectElement)) heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <main className={css.page} id="view">
      <header className={css.pageHead}>
        <h1 tabIndex={-1} ref={heading}>{title}</h1>
        {summary !== undefined && <div className={css.summary}>{summary}</div>}
        {actions !== undefined && <div className={css.actions}>{actions}</div>}
      </header>
      {children}
    </main>
  )
}

export function Panel({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }): ReactNode {
  return (
    <section className={css.panel} aria-label={title}>
      <header className={css.panelHead}>
        <h2>{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  )
}

/** There is nothing: why, and what would bring something. */
export function Empty({ children }: { children: ReactNode }): ReactNode {
  return <p className={css.empty}>{children}</p>
}

export function Loading({ what }: { what: string }): ReactNode {
  return <p className={css.empty} role="status">Reading {what}…</p>
}
