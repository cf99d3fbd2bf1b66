import type { ReactNode } from 'react'
import { shown } from './Said'
import css from './parts.module.css'

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle' | 'mark'

/** Of all kinds of entities; an unknown one is shown as it is. */
const TONES: Readonly<Record<string, Tone>> = {
  idle: 'idle', registered: 'idle', pending: 'idle', cancelled: 'idle', offline: 'idle', expired: 'idle', silent: 'bad',
  busy: 'busy', running: 'busy', in_progress: 'busy', accepted: 'busy', delegated: 'busy', 'catching-up': 'busy', connecting: 'busy', draining: 'warn',
  completed: 'good', finished: 'good', live: 'good', up: 'good', available: 'good', resumed: 'good', success: 'good',
  blocked: 'warn', paused: 'warn', stale: 'warn', stalled: 'warn', warning: 'warn',
  failed: 'bad', error: 'bad', critical: 'bad', failure: 'bad', gap: 'bad',
  red: 'bad', green: 'good', refactor: 'mark',
}

export function toneOf(status: string): Tone {
  return Object.hasOwn(TONES, status) ? TONES[status]! : 'idle'
}

/** A status in words, with its colour: the colour alone says nothing. */
export function Status({ status, tone = toneOf(status), title }: { status: string; tone?: Tone; title?: string }): ReactNode {
  return <span className={`${css.status} ${css[tone]}`} title={title}>{shown(status, 40).replaceAll('_', ' ')}</span>
}
