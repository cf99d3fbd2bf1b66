/** AG-UI events as the catalogue describes them, taken from the data of the hub's events. */
import type { EventMap, HubEvent } from '@hubbub/client'

type Types = { [K in keyof EventMap as K extends `agui.${string}` ? K : never]: EventMap[K] }
export type AguiEvent = Types[keyof Types]
export type AguiOf<T extends AguiEvent['type']> = Extract<AguiEvent, { type: T }>
export type AguiMessage = AguiOf<'MESSAGES_SNAPSHOT'>['messages'][number]
export type Content = AguiOf<'TOOL_CALL_RESULT'>['content']
export type Operation = AguiOf<'STATE_DELTA'>['delta'][number]
export type Interrupt = Extract<NonNullable<AguiOf<'RUN_FINISHED'>['outcome']>, { type: 'interrupt' }>['interrupts'][number]
export type Usage = NonNullable<AguiOf<'RUN_FINISHED'>['usage']>

/** The hub takes in none that does not fit the catalogue; undefined for what is no AG-UI event. */
export function aguiOf(event: HubEvent): AguiEvent | undefined {
  return event.type.startsWith('agui.') ? (event.data as AguiEvent) : undefined
}

/** The subagent that said it; undefined: the run's own agent. */
export function ownerOf(event: AguiEvent): string | undefined {
  return 'subagentRunId' in event ? event.subagentRunId : undefined
}

export interface Said {
  text: string
  /** What is no text, in words: `image, image/png`. Nothing of it is loaded. */
  attached: string[]
}

export function saidOf(content: Content | undefined): Said {
  if (content === undefined) return { text: '', attached: [] }
  if (typeof content === 'string') return { text: content, attached: [] }
  const said: Said = { text: '', attached: [] }
  for (const part of content) {
    if (part.type === 'text') said.text += part.text
    else said.attached.push([part.type, part.source.mimeType, part.source.type === 'data' ? `${part.source.value.length} characters` : part.source.value].filter(Boolean).join(', '))
  }
  return said
}
