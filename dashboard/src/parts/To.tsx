/** Ways from everything to everything: an entity's view, a topic's events. */
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { wayTo, wayWith } from './address'
import { shown } from './Said'

const VIEWS = { agent: 'agents', task: 'tasks', pipeline: 'pipelines', run: 'runs' } as const

interface Named {
  kind: keyof typeof VIEWS
  id: string
  /** Default: the id. */
  text?: string
  className?: string
}

/** Whoever links to an entity says what it is: ids alone tell a screen reader's list of links nothing. */
export function To({ kind, id, text = id, className = 'said' }: Named): ReactNode {
  return <Link href={wayTo(VIEWS[kind], id)} className={className} title={`${kind} ${shown(id, 200)}`}>{shown(text, 80)}</Link>
}

export function ToEvents({ topic, children }: { topic: string; children: ReactNode }): ReactNode {
  return <Link href={wayWith('events', { topic })}>{children}</Link>
}
