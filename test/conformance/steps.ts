/**
 * Words in which a case is told: who does what, what is answered, who hears what. They are data; `stage.ts` acts them out, by whatever
 * driver. A person is connected when it is first named, and is a service of the case's own project unless the case says otherwise.
 */
import type { EventInput, Filter, Since } from '@hubbub/protocol'
import type { Claims } from '../harness/token.js'

/** The cursor that came with the event of that id. */
export interface Behind {
  behind: string
}

export interface Wanted {
  topics: string[]
  types?: string[]
  filter?: Filter
  since?: Since | Behind
  snapshot?: boolean
  batchMs?: number
  latestOnly?: boolean
}

export interface Person extends Claims {
  /** Of the connection, not of the token. */
  asks?: { project?: string; compress?: boolean }
  /** Instead of a token that the hub accepts. */
  credential?: 'none' | 'forged' | 'garbage'
  /** Its token ends so many ms after the case's begin. */
  endsAfterMs?: number
}

type Answered = { refused?: string }

export type Step =
  | ({ step: 'connect'; who: string } & Answered)
  | ({ step: 'subscribe'; who: string; request: Wanted } & Answered)
  | ({ step: 'unsubscribe'; who: string; topics: string[] } & Answered)
  | { step: 'publish'; who: string; inputs: EventInput[]; ack?: 'accepted'; answers: { refused?: string; type?: string; duplicate?: true }[] }
  | { step: 'together'; writers: string[]; each: number; topic: string }
  | { step: 'hears'; who: string; ids: string[]; shown?: Shown }
  | { step: 'hearsSet'; who: string; ids: string[] }
  | { step: 'hearsTypes'; who: string; types: string[] }
  | { step: 'hearsLast'; who: string; id: string }
  | { step: 'hearsAlike'; who: string; as: string; count: number }
  | ({ step: 'history'; who: string; request: Wanted & { limit?: number }; ids?: string[]; gap?: string } & Answered)
  | ({ step: 'snapshot'; who: string; topics: string[]; entities?: string[] } & Answered)
  | { step: 'handle'; command: string; answer: object }
  | ({ step: 'command'; who: string; command: string; payload?: unknown; result?: unknown } & Answered)
  | ({ step: 'signal'; who: string; topic: string; name: string; data?: unknown } & Answered)
  | { step: 'cut'; who: string }
  | { step: 'forgotten'; id: string }
  | { step: 'gap'; who: string; reason: string }
  | { step: 'complaint'; who: string; code: string }

/** What the event must show, by path; the rest does not matter. */
export type Shown = Partial<{ type: string; topics: string[]; data: unknown; metadata: Record<string, unknown> }>

export interface Case {
  name: string
  people?: Record<string, Person>
  /** On a hub that keeps little of its journal. */
  forgetful?: true
  steps: Step[]
}

// ------------------------------------------------------------------ the words

export const progress = (id: string, taskId: string, percent = 50, more: Partial<EventInput> = {}): EventInput => ({ id, type: 'task.progress', data: { taskId, progress: percent }, ...more })
export const custom = (id: string, topic: string, data: unknown = {}): EventInput => ({ id, type: 'custom.note', data, topics: [topic] })
export const behind = (id: string): Behind => ({ behind: id })

export const connect = (who: string, answered: Answered = {}): Step => ({ step: 'connect', who, ...answered })
export const subscribe = (who: string, request: Wanted, answered: Answered = {}): Step => ({ step: 'subscribe', who, request, ...answered })
export const unsubscribe = (who: string, ...topics: string[]): Step => ({ step: 'unsubscribe', who, topics })
/** All of them taken. */
export const publish = (who: string, ...inputs: EventInput[]): Step => ({ step: 'publish', who, inputs, answers: inputs.map(() => ({})) })
export const publishing = (who: string, inputs: EventInput[], answers: { refused?: string; type?: string; duplicate?: true }[], ack?: 'accepted'): Step => ({ step: 'publish', who, inputs, answers, ...(ack && { ack }) })
export const refused = (who: string, input: EventInput, code: string): Step => publishing(who, [input], [{ refused: code }])
/** Each of the writers publishes its own numbered events, all at the same time. */
export const together = (writers: string[], each: number, topic: string): Step => ({ step: 'together', writers, each, topic })
/** The next that it hears are these, in this order. What nobody says it heard at the end of a case, it must not have heard. */
export const hears = (who: string, ...ids: string[]): Step => ({ step: 'hears', who, ids })
export const hearsAs = (who: string, id: string, shown: Shown): Step => ({ step: 'hears', who, ids: [id], shown })
/** That it hears at last, whatever was left out before; nothing twice, in journal order. */
export const hearsLast = (who: string, id: string): Step => ({ step: 'hearsLast', who, id })
/** So many, the very same in the same order as somebody else. */
export const hearsAlike = (who: string, as: string, count: number): Step => ({ step: 'hearsAlike', who, as, count })
export const history = (who: string, request: Wanted & { limit?: number }, ids: string[], more: { gap?: string } = {}): Step => ({ step: 'history', who, request, ids, ...more })
export const historyRefused = (who: string, request: Wanted & { limit?: number }, code: string): Step => ({ step: 'history', who, request, refused: code })
/** Entities as `kind:id`, in any order. */
export const snapshot = (who: string, topics: string[], ...entities: string[]): Step => ({ step: 'snapshot', who, topics, entities })
export const snapshotRefused = (who: string, topics: string[], code: string): Step => ({ step: 'snapshot', who, topics, refused: code })
/** An executor of the case's project, connected over Socket.IO; `echo` answers with what it was asked. */
export const handle = (command: string, answer: object): Step => ({ step: 'handle', command, answer })
export const command = (who: string, name: string, payload: unknown, result: unknown): Step => ({ step: 'command', who, command: name, payload, result })
export const commandRefused = (who: string, name: string, payload: unknown, code: string): Step => ({ step: 'command', who, command: name, payload, refused: code })
export const signal = (who: string, topic: string, name: string, data: unknown, answered: Answered = {}): Step => ({ step: 'signal', who, topic, name, data, ...answered })
/** Its connections are reset, and it finds its way back by itself. */
export const cut = (who: string): Step => ({ step: 'cut', who })
/** Others' events, until the journal no longer holds that one. */
export const forgotten = (id: string): Step => ({ step: 'forgotten', id })
export const gap = (who: string, reason = 'trimmed'): Step => ({ step: 'gap', who, reason })
export const complaint = (who: string, code: string): Step => ({ step: 'complaint', who, code })

export const numbers = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, place) => `${prefix}${place}`)
