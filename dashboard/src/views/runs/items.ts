/** What a conversation is made of, in the order in which it began. An item is never changed, but replaced by another one. */
import type { Gap } from '@hubbub/client'

interface Begun {
  /** Tells it from all others of the run. */
  key: string
  /** ms since the epoch, as the producer says. */
  at: number
  /** Of the subagent that said it. */
  subagent?: string | undefined
}

export interface MessageItem extends Begun {
  kind: 'message'
  id: string
  /** `reasoning` is what an agent says to itself; '' when the beginning is missing. */
  role: string
  name?: string | undefined
  text: string
  attached: string[]
  /** More may come. */
  isOpen: boolean
  /** Something of it is missing, and it cannot be told what. */
  isPartial: boolean
}

export interface CallItem extends Begun {
  kind: 'call'
  id: string
  /** '' when the beginning is missing. */
  name: string
  /** JSON, as far as it came. */
  args: string
  isOpen: boolean
  isPartial: boolean
  result?: { text: string; attached: string[]; error?: string | undefined; at: number } | undefined
}

export interface ActivityItem extends Begun {
  kind: 'activity'
  id: string
  activityType: string
  content: unknown
  /** Why the content may be wrong. */
  trouble?: string | undefined
}

export interface StepItem extends Begun {
  kind: 'step'
  name: string
  endedAt?: number | undefined
}

export interface SubagentItem extends Begun {
  kind: 'subagent'
  id: string
  name: string
  description?: string | undefined
  status: 'running' | 'finished' | 'suspended' | 'failed'
  said?: unknown
}

/** RAW and CUSTOM: somebody else's. */
export interface NoteItem extends Begun {
  kind: 'note'
  label: string
  value: unknown
}

/** Another run that this one's events tell of. */
export interface SubrunItem extends Begun {
  kind: 'subrun'
  runId: string
  status: 'running' | 'finished'
}

export interface GapItem extends Begun {
  kind: 'gap'
  gap: Gap
}

export interface TroubleItem extends Begun {
  kind: 'trouble'
  text: string
}

export type Item = MessageItem | CallItem | ActivityItem | StepItem | SubagentItem | NoteItem | SubrunItem | GapItem | TroubleItem
