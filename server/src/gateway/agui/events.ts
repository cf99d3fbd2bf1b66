/** AG-UI events and messages as the catalogue describes them; and what every AG-UI event may be asked. */
import type { EventMap } from '@hubbub/protocol'

type AguiTypes = { [K in keyof EventMap as K extends `agui.${string}` ? K : never]: EventMap[K] }
export type AguiEvent = AguiTypes[keyof AguiTypes]
export type AguiName = AguiEvent['type']
export type AguiOf<T extends AguiName> = Extract<AguiEvent, { type: T }>

export type Message = AguiOf<'MESSAGES_SNAPSHOT'>['messages'][number]
export type MessageOf<R extends Message['role']> = Extract<Message, { role: R }>
export type ToolCall = NonNullable<MessageOf<'assistant'>['toolCalls']>[number]

/** The subagent to which an event is attributed; undefined: the run's own agent. */
export function ownerOf(event: AguiEvent): string | undefined {
  return 'subagentRunId' in event ? event.subagentRunId : undefined
}

/** Nothing of the run comes behind it. */
export function isTerminal(event: AguiEvent): boolean {
  return event.type === 'RUN_FINISHED' || event.type === 'RUN_ERROR'
}

/** Of those that name a run, a parent's or a child's may stand under the run's topic: they are not the run's. */
export function isOfRun(event: AguiEvent, runId: string): boolean {
  return (event.type !== 'RUN_STARTED' && event.type !== 'RUN_FINISHED') || event.runId === runId
}
