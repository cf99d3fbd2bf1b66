/** What of a run has begun and not ended, as AG-UI's client watches over it: it takes no content of what it did not see begin. */
import type { AguiEvent, AguiOf } from './events.js'

export class OpenParts {
  readonly texts = new Map<string, AguiOf<'TEXT_MESSAGE_START'>>()
  readonly calls = new Map<string, AguiOf<'TOOL_CALL_START'>>()
  readonly reasonings = new Map<string, AguiOf<'REASONING_MESSAGE_START'>>()
  readonly spans = new Map<string, AguiOf<'REASONING_START'>>()
  /** By owner and name: each subagent has steps of its own. */
  readonly steps = new Map<string, AguiOf<'STEP_STARTED'>>()
  /** Those that are at work. */
  readonly subagents = new Map<string, AguiOf<'SUBAGENT_STARTED'>>()
  /** All that was told of subagents, for a later one may name any of them as its parent. */
  readonly lives: AguiOf<'SUBAGENT_STARTED' | 'SUBAGENT_FINISHED' | 'SUBAGENT_ERROR'>[] = []
  readonly activities = new Set<string>()
  /** Calls of the run without a result: a client finds by them which wait for an answer. */
  readonly unanswered = new Map<string, AguiOf<'TOOL_CALL_START'>>()

  /** @param subagents of which a client was told before, and is not told again */
  constructor(readonly subagentsBefore: ReadonlySet<string> = new Set()) {}

  knowsSubagent(id: string): boolean {
    return this.subagentsBefore.has(id) || this.lives.some(({ subagentRunId }) => subagentRunId === id)
  }

  /** @param event no chunk */
  note(event: AguiEvent): void {
    this.noteContent(event)
    this.noteFrame(event)
  }

  private noteContent(event: AguiEvent): void {
    switch (event.type) {
      case 'TEXT_MESSAGE_START':
        return void this.texts.set(event.messageId, event)
      case 'TEXT_MESSAGE_END':
        return void this.texts.delete(event.messageId)
      case 'REASONING_MESSAGE_START':
        return void this.reasonings.set(event.messageId, event)
      case 'REASONING_MESSAGE_END':
        return void this.reasonings.delete(event.messageId)
      case 'TOOL_CALL_START':
        this.unanswered.set(event.toolCallId, event)
        return void this.calls.set(event.toolCallId, event)
      case 'TOOL_CALL_END':
        return void this.calls.delete(event.toolCallId)
      case 'ACTIVITY_SNAPSHOT':
        return void this.activities.add(event.messageId)
      case 'TOOL_CALL_RESULT':
        return void this.unanswered.delete(event.toolCallId)
      default:
    }
  }

  private noteFrame(event: AguiEvent): void {
    switch (event.type) {
      case 'REASONING_START':
        return void this.spans.set(event.messageId, event)
      case 'REASONING_END':
        return void this.spans.delete(event.messageId)
      case 'STEP_STARTED':
        return void this.steps.set(stepKey(event), event)
      case 'STEP_FINISHED':
        return void this.steps.delete(stepKey(event))
      case 'SUBAGENT_STARTED':
        this.lives.push(event)
        return void this.subagents.set(event.subagentRunId, event)
      case 'SUBAGENT_FINISHED':
      case 'SUBAGENT_ERROR':
        this.lives.push(event)
        return void this.subagents.delete(event.subagentRunId)
      default:
    }
  }
}

export function stepKey({ stepName, subagentRunId }: AguiOf<'STEP_STARTED' | 'STEP_FINISHED'>): string {
  return JSON.stringify([subagentRunId ?? null, stepName])
}
