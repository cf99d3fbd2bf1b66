/**
 * What a run's events make of its conversation, one after the other. What is missing is marked: text that goes on behind a gap, or without
 * its beginning, is incomplete, until a snapshot tells it whole.
 */
import type { Gap } from '@hubbub/client'
import { ownerOf, saidOf, type AguiEvent, type AguiMessage, type AguiOf, type Content } from './agui'
import type { ActivityItem, CallItem, Item, MessageItem, StepItem, SubagentItem } from './items'
import { applyPatch, PatchFailed } from '@hubbub/client'

type Changing = { message: MessageItem; call: CallItem; activity: ActivityItem; step: StepItem; subagent: SubagentItem }

/** What lies further back is not kept; cut off in portions. */
const MOST_ITEMS = 5000
const PORTION = 500

export class Conversation {
  /** Items that are no longer kept. */
  dropped = 0
  #items: Item[] = []
  /** Where an item stands, by its key. */
  #places = new Map<string, number>()
  #count = 0

  /** A list of its own each time; what did not change is the same item. */
  items(): Item[] {
    return [...this.#items]
  }

  /** @param at ms since the epoch */
  take(event: AguiEvent, at: number, runId: string): void {
    const subagent = ownerOf(event)
    switch (event.type) {
      case 'TEXT_MESSAGE_START':
        return this.#begin(event.messageId, event.role ?? 'assistant', at, { name: event.name, subagent })
      case 'REASONING_MESSAGE_START':
        return this.#begin(event.messageId, 'reasoning', at, { subagent })
      case 'TEXT_MESSAGE_CONTENT':
      case 'REASONING_MESSAGE_CONTENT':
        if (!this.#has('message', event.messageId)) this.#add({ ...emptyMessage(event.messageId, event.type === 'REASONING_MESSAGE_CONTENT' ? 'reasoning' : '', at), subagent, isPartial: true })
        return this.#change('message', event.messageId, (item) => ({ ...item, text: item.text + event.delta }))
      case 'TEXT_MESSAGE_END':
      case 'REASONING_MESSAGE_END':
        return this.#change('message', event.messageId, (item) => ({ ...item, isOpen: false }))
      case 'TOOL_CALL_START':
      case 'TOOL_CALL_ARGS':
      case 'TOOL_CALL_END':
        return this.#call(event, at, subagent)
      case 'TOOL_CALL_RESULT':
        return this.#result(event.toolCallId, event.content, at)
      case 'MESSAGES_SNAPSHOT':
        return this.#retell(event, at)
      case 'ACTIVITY_SNAPSHOT':
      case 'ACTIVITY_DELTA':
        return this.#activity(event, at, subagent)
      case 'STEP_STARTED':
        return this.#add({ kind: 'step', key: `step ${++this.#count}`, at, subagent, name: event.stepName })
      case 'STEP_FINISHED': {
        const open = this.#items.findLast((item) => item.kind === 'step' && item.name === event.stepName && item.endedAt === undefined && item.subagent === subagent)
        return open && this.#replace(open.key, { ...open, kind: 'step', endedAt: at } as StepItem)
      }
      case 'SUBAGENT_STARTED':
        return this.#add({ kind: 'subagent', key: `subagent ${event.subagentRunId}`, id: event.subagentRunId, at, subagent: event.parentSubagentRunId, name: event.name, description: event.description, status: 'running' })
      case 'SUBAGENT_FINISHED':
        return this.#change('subagent', event.subagentRunId, (item) => ({ ...item, status: event.outcome?.type === 'suspended' ? 'suspended' : 'finished', said: event.result }))
      case 'SUBAGENT_ERROR':
        return this.#change('subagent', event.subagentRunId, (item) => ({ ...item, status: 'failed', said: event.message }))
      case 'RAW':
        return this.#add({ kind: 'note', key: `note ${++this.#count}`, at, subagent, label: event.source === undefined ? 'raw event' : `raw event of ${event.source}`, value: event.event })
      case 'CUSTOM':
        return this.#add({ kind: 'note', key: `note ${++this.#count}`, at, subagent, label: event.name, value: event.value })
      case 'RUN_STARTED':
        if (event.runId !== runId) return this.#add({ kind: 'subrun', key: `run ${++this.#count}`, at, runId: event.runId, status: 'running' })
        for (const message of event.input?.messages ?? []) if (!this.#has('message', message.id)) this.#tell(message, at)
        return
      case 'RUN_FINISHED':
        if (event.runId !== runId) return this.#add({ kind: 'subrun', key: `run ${++this.#count}`, at, runId: event.runId, status: 'finished' })
        return this.#settle()
      case 'RUN_ERROR':
        return this.#settle()
    }
  }

  /** Events are missing here: what is open, and goes on, is incomplete. */
  gap(gap: Gap, at: number): void {
    this.#items = this.#items.map((item) => ((item.kind === 'message' || item.kind === 'call') && item.isOpen ? { ...item, isPartial: true } : item))
    this.#add({ kind: 'gap', key: `gap ${++this.#count}`, at, gap })
  }

  trouble(text: string, at: number): void {
    this.#add({ kind: 'trouble', key: `trouble ${++this.#count}`, at, text })
  }

  #begin(id: string, role: string, at: number, more: Pick<MessageItem, 'name' | 'subagent'>): void {
    // One that begins again goes on.
    if (this.#has('message', id)) this.#change('message', id, (item) => ({ ...item, isOpen: true, role: item.role || role }))
    else this.#add({ ...emptyMessage(id, role, at), ...more })
  }

  #call(event: AguiOf<'TOOL_CALL_START' | 'TOOL_CALL_ARGS' | 'TOOL_CALL_END'>, at: number, subagent: string | undefined): void {
    const id = event.toolCallId
    if (event.type === 'TOOL_CALL_END') return this.#change('call', id, (item) => ({ ...item, isOpen: false }))
    const isStart = event.type === 'TOOL_CALL_START'
    if (!this.#has('call', id)) this.#add({ ...emptyCall(id, isStart ? event.toolCallName : '', at), subagent, isPartial: !isStart })
    else if (isStart) this.#change('call', id, (item) => ({ ...item, name: event.toolCallName, isOpen: true }))
    if (!isStart) this.#change('call', id, (item) => ({ ...item, args: item.args + event.delta }))
  }

  #result(toolCallId: string, content: Content, at: number, error?: string): void {
    if (!this.#has('call', toolCallId)) this.#add({ ...emptyCall(toolCallId, '', at), isOpen: false, isPartial: true })
    this.#change('call', toolCallId, (item) => ({ ...item, result: { ...saidOf(content), error, at } }))
  }

  #activity(event: AguiOf<'ACTIVITY_SNAPSHOT' | 'ACTIVITY_DELTA'>, at: number, subagent: string | undefined): void {
    const { messageId: id, activityType } = event
    if (event.type === 'ACTIVITY_SNAPSHOT') {
      if (!this.#has('activity', id)) this.#add({ kind: 'activity', key: `activity ${id}`, id, at, subagent, activityType, content: event.content })
      else if (event.replace !== false) this.#change('activity', id, (item) => ({ ...item, activityType, content: event.content, trouble: undefined }))
      return
    }
    if (!this.#has('activity', id)) this.#add({ kind: 'activity', key: `activity ${id}`, id, at, subagent, activityType, content: {}, trouble: 'its beginning is missing' })
    else this.#change('activity', id, (item) => patched(item, event))
  }

  /** What it names is so, what it leaves out is gone: but for activities and reasoning, which many only ever stream. */
  #retell(event: AguiOf<'MESSAGES_SNAPSHOT'>, at: number): void {
    const { messages } = event
    const ids = new Set(messages.map(({ id }) => id))
    const calls = new Set(messages.flatMap((message) => (message.role === 'assistant' ? (message.toolCalls ?? []).map(({ id }) => id) : [])))
    const [hasReasoning, hasActivity] = [messages.some(({ role }) => role === 'reasoning'), messages.some(({ role }) => role === 'activity')]
    this.#set(this.#items.filter((item) => {
      if (item.kind === 'message') return ids.has(item.id) || (item.role === 'reasoning' && !hasReasoning)
      if (item.kind === 'activity') return ids.has(item.id) || !hasActivity
      return item.kind !== 'call' || calls.has(item.id)
    }))
    for (const message of messages) this.#tell(message, at)
  }

  /** A message, whole. */
  #tell(message: AguiMessage, at: number): void {
    const { id } = message
    if (message.role === 'tool') return this.#result(message.toolCallId, message.content, at, message.error)
    if (message.role === 'activity') return this.#activity({ type: 'ACTIVITY_SNAPSHOT', messageId: id, activityType: message.activityType, content: message.content }, at, message.subagentRunId)
    const said = saidOf(message.content)
    const name = 'name' in message ? message.name : undefined
    if (this.#has('message', id)) this.#change('message', id, (item) => ({ ...item, ...said, name, role: message.role, isPartial: false }))
    else if (said.text !== '' || said.attached.length > 0) this.#add({ ...emptyMessage(id, message.role, at), ...said, name, subagent: message.subagentRunId, isOpen: false })
    for (const { id: callId, function: called } of (message.role === 'assistant' && message.toolCalls) || []) {
      if (!this.#has('call', callId)) this.#add({ ...emptyCall(callId, '', at), subagent: message.subagentRunId, isOpen: false })
      this.#change('call', callId, (item) => ({ ...item, name: called.name, args: called.arguments, isPartial: false }))
    }
  }

  /** The run is over: what was not ended was cut off. */
  #settle(): void {
    this.#items = this.#items.map((item) => ((item.kind === 'message' || item.kind === 'call') && item.isOpen ? { ...item, isOpen: false, isPartial: true } : item))
  }

  // ---------------------------------------------------------------- places

  #has(kind: keyof Changing, id: string): boolean {
    return this.#places.has(`${kind} ${id}`)
  }

  #change<K extends keyof Changing>(kind: K, id: string, change: (item: Changing[K]) => Changing[K]): void {
    const place = this.#places.get(`${kind} ${id}`)
    if (place !== undefined) this.#items[place] = change(this.#items[place] as Changing[K])
  }

  #replace(key: string, item: Item): void {
    const place = this.#places.get(key)
    if (place !== undefined) this.#items[place] = item
  }

  #add(item: Item): void {
    this.#places.set(item.key, this.#items.push(item) - 1)
    if (this.#items.length < MOST_ITEMS + PORTION) return
    this.dropped += PORTION
    this.#set(this.#items.slice(PORTION))
  }

  #set(items: Item[]): void {
    this.#items = items
    this.#places = new Map(items.map(({ key }, place) => [key, place]))
  }
}

function emptyMessage(id: string, role: string, at: number): MessageItem {
  return { kind: 'message', key: `message ${id}`, id, role, at, text: '', attached: [], isOpen: true, isPartial: false }
}

function emptyCall(id: string, name: string, at: number): CallItem {
  return { kind: 'call', key: `call ${id}`, id, name, at, args: '', isOpen: true, isPartial: false }
}

function patched(item: ActivityItem, { activityType, patch }: AguiOf<'ACTIVITY_DELTA'>): ActivityItem {
  try {
    return { ...item, activityType, content: applyPatch(item.content, patch) }
  } catch (error) {
    if (!(error instanceof PatchFailed)) throw error
    return { ...item, trouble: `a change could not be applied: ${error.message}` }
  }
}
