/**
 * Chunks: starts, contents and ends in one, of which a later one may leave out the id. Expanded as AG-UI's client does it: one stream at a
 * time is put together for each subagent (and for the run's own agent), and ends with the next whole event of the same one.
 */
import { ownerOf, type AguiEvent, type AguiOf } from './agui'

type Chunk = AguiOf<'TEXT_MESSAGE_CHUNK' | 'TOOL_CALL_CHUNK' | 'REASONING_MESSAGE_CHUNK'>
type Kind = 'text' | 'tool' | 'reasoning'
interface Pending {
  kind: Kind
  id: string
}

/** These describe the run as a whole. */
const OF_ALL: ReadonlySet<string> = new Set(['RUN_STARTED', 'RUN_FINISHED', 'RUN_ERROR', 'MESSAGES_SNAPSHOT'])
/** Beside these a stream goes on. */
const BESIDE: ReadonlySet<string> = new Set(['RAW', 'ACTIVITY_SNAPSHOT', 'ACTIVITY_DELTA', 'REASONING_ENCRYPTED_VALUE', 'SUBAGENT_STARTED'])

export class Chunks {
  readonly #pending = new Map<string | undefined, Pending>()

  /** The event as whole events; undefined for a chunk that goes on with nothing that is known. */
  expand(event: AguiEvent): AguiEvent[] | undefined {
    if (isChunk(event)) return this.#take(event)
    if (OF_ALL.has(event.type)) return [...[...this.#pending.keys()].flatMap((owner) => this.#close(owner)), event]
    const owner = ownerOf(event)
    const ofSubagent = event.type === 'SUBAGENT_FINISHED' || event.type === 'SUBAGENT_ERROR'
    return BESIDE.has(event.type) || (ofSubagent && owner === undefined) ? [event] : [...this.#close(owner), event]
  }

  /** Events are missing: what comes without an id may belong to anything. */
  forget(): void {
    this.#pending.clear()
  }

  #take(chunk: Chunk): AguiEvent[] | undefined {
    const kind = kindOf(chunk)
    const id = chunk.type === 'TOOL_CALL_CHUNK' ? chunk.toolCallId : chunk.messageId
    const owner = id === undefined ? this.#inferred(kind, chunk.subagentRunId) : this.#laneOf(kind, id, chunk.subagentRunId)
    if (owner === 'none') return undefined
    const open = this.#pending.get(owner?.id)
    if (open?.kind === kind && (id === undefined || id === open.id)) return contentOf(chunk, open, owner?.id)
    if (id === undefined) return undefined
    const start = startOf(chunk, id)
    if (!start) return undefined
    const closed = this.#close(owner?.id)
    const pending = { kind, id }
    this.#pending.set(owner?.id, pending)
    return [...closed, start, ...contentOf(chunk, pending, owner?.id)]
  }

  #laneOf(kind: Kind, id: string, tag: string | undefined): { id: string | undefined } {
    for (const [owner, pending] of this.#pending) if (pending.kind === kind && pending.id === id) return { id: owner }
    return { id: tag }
  }

  /** Of a chunk without an id: its tag's; the run's own agent's; or the only one there is. */
  #inferred(kind: Kind, tag: string | undefined): { id: string | undefined } | 'none' {
    if (tag !== undefined || this.#pending.get(undefined)?.kind === kind) return { id: tag }
    const owners = [...this.#pending].filter(([, pending]) => pending.kind === kind)
    return owners.length === 1 ? { id: owners[0]![0] } : 'none'
  }

  #close(owner: string | undefined): AguiEvent[] {
    const pending = this.#pending.get(owner)
    if (!pending) return []
    this.#pending.delete(owner)
    const tag = tagOf(owner)
    if (pending.kind === 'tool') return [{ type: 'TOOL_CALL_END', toolCallId: pending.id, ...tag }]
    return [{ type: pending.kind === 'text' ? 'TEXT_MESSAGE_END' : 'REASONING_MESSAGE_END', messageId: pending.id, ...tag }]
  }
}

function isChunk(event: AguiEvent): event is Chunk {
  return event.type === 'TEXT_MESSAGE_CHUNK' || event.type === 'TOOL_CALL_CHUNK' || event.type === 'REASONING_MESSAGE_CHUNK'
}

function kindOf({ type }: Chunk): Kind {
  if (type === 'TOOL_CALL_CHUNK') return 'tool'
  return type === 'TEXT_MESSAGE_CHUNK' ? 'text' : 'reasoning'
}

function startOf(chunk: Chunk, id: string): AguiEvent | undefined {
  const tag = tagOf(chunk.subagentRunId)
  if (chunk.type === 'REASONING_MESSAGE_CHUNK') return { type: 'REASONING_MESSAGE_START', messageId: id, role: 'reasoning', ...tag }
  if (chunk.type === 'TEXT_MESSAGE_CHUNK') return { type: 'TEXT_MESSAGE_START', messageId: id, role: chunk.role ?? 'assistant', ...(chunk.name !== undefined && { name: chunk.name }), ...tag }
  if (chunk.toolCallName === undefined) return undefined
  return { type: 'TOOL_CALL_START', toolCallId: id, toolCallName: chunk.toolCallName, ...(chunk.parentMessageId !== undefined && { parentMessageId: chunk.parentMessageId }), ...tag }
}

function contentOf({ delta }: Chunk, { kind, id }: Pending, owner: string | undefined): AguiEvent[] {
  if (delta === undefined) return []
  const tag = tagOf(owner)
  if (kind === 'tool') return [{ type: 'TOOL_CALL_ARGS', toolCallId: id, delta, ...tag }]
  return [{ type: kind === 'text' ? 'TEXT_MESSAGE_CONTENT' : 'REASONING_MESSAGE_CONTENT', messageId: id, delta, ...tag }]
}

function tagOf(owner: string | undefined): { subagentRunId?: string } {
  return owner === undefined ? {} : { subagentRunId: owner }
}
