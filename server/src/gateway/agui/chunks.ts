/**
 * Chunks: starts, contents and ends in one, of which a later one may leave out the id. Expanded as AG-UI's client does it: one stream at a
 * time is put together for each subagent (and for the run's own agent), and ends with the next whole event of the same one.
 */
import { ownerOf, type AguiEvent, type AguiOf } from './events.js'

export type Chunk = AguiOf<'TEXT_MESSAGE_CHUNK' | 'TOOL_CALL_CHUNK' | 'REASONING_MESSAGE_CHUNK'>
type Kind = 'text' | 'tool' | 'reasoning'
type Start = AguiOf<'TEXT_MESSAGE_START' | 'TOOL_CALL_START' | 'REASONING_MESSAGE_START'>

interface Pending {
  kind: Kind
  id: string
  /** Without what belongs to one event only. */
  start: Start
}

/** These describe the run as a whole. */
const OF_ALL = new Set<string>(['RUN_STARTED', 'RUN_FINISHED', 'RUN_ERROR', 'MESSAGES_SNAPSHOT'])
/** Beside these a stream goes on. */
const BESIDE = new Set<string>(['RAW', 'ACTIVITY_SNAPSHOT', 'ACTIVITY_DELTA', 'REASONING_ENCRYPTED_VALUE', 'SUBAGENT_STARTED'])

export class Chunks {
  private readonly pending = new Map<string | undefined, Pending>()

  /** The event as whole events; undefined for a chunk that goes on with nothing. */
  expand(event: AguiEvent): AguiEvent[] | undefined {
    if (isChunk(event)) return this.take(event)
    if (OF_ALL.has(event.type)) return [...[...this.pending.keys()].flatMap((owner) => this.close(owner)), event]
    const owner = ownerOf(event)
    const ofSubagent = event.type === 'SUBAGENT_FINISHED' || event.type === 'SUBAGENT_ERROR'
    return BESIDE.has(event.type) || (ofSubagent && owner === undefined) ? [event] : [...this.close(owner), event]
  }

  /** Whether the message or call is being put together: then no event of its own started it. */
  holds(kind: Kind, id: string): boolean {
    return this.laneOf(kind, id) !== undefined
  }

  /** Whether a chunk without an id has something to go on with. */
  goesOn(chunk: Chunk): boolean {
    const kind = kindOf(chunk)
    const lane = this.inferred(kind, chunk.subagentRunId)
    return lane !== undefined && this.pending.get(lane.owner)?.kind === kind
  }

  /** Chunks after which those that come go on where these stand. */
  openers(): AguiEvent[] {
    return [...this.pending.values()].map(({ start }) => {
      if (start.type === 'TEXT_MESSAGE_START') return { ...start, type: 'TEXT_MESSAGE_CHUNK' as const }
      if (start.type === 'TOOL_CALL_START') return { ...start, type: 'TOOL_CALL_CHUNK' as const }
      const { role: _, ...rest } = start
      return { ...rest, type: 'REASONING_MESSAGE_CHUNK' as const }
    })
  }

  private take(chunk: Chunk): AguiEvent[] | undefined {
    const kind = kindOf(chunk)
    const id = idOf(chunk)
    const lane = id === undefined ? this.inferred(kind, chunk.subagentRunId) : (this.laneOf(kind, id) ?? { owner: chunk.subagentRunId })
    if (!lane) return undefined
    const open = this.pending.get(lane.owner)
    if (open?.kind === kind && (id === undefined || id === open.id)) return contentOf(chunk, open)
    if (id === undefined) return undefined
    const start = startOf(chunk, id)
    if (!start) return undefined
    const closed = this.close(lane.owner)
    const pending = { kind, id, start }
    this.pending.set(lane.owner, pending)
    const first = chunk.metadata === undefined ? start : { ...start, metadata: chunk.metadata }
    return [...closed, first, ...(chunk.delta === undefined ? [] : contentOf(chunk, pending))]
  }

  private laneOf(kind: Kind, id: string): { owner: string | undefined } | undefined {
    for (const [owner, pending] of this.pending) if (pending.kind === kind && pending.id === id) return { owner }
    return undefined
  }

  /** Of a chunk without an id: its tag's; the run's own agent's; or the only one there is. */
  private inferred(kind: Kind, tag: string | undefined): { owner: string | undefined } | undefined {
    if (tag !== undefined || this.pending.get(undefined)?.kind === kind) return { owner: tag }
    const owners = [...this.pending].filter(([, pending]) => pending.kind === kind).map(([owner]) => owner)
    return owners.length === 1 ? { owner: owners[0] } : undefined
  }

  private close(owner: string | undefined): AguiEvent[] {
    const pending = this.pending.get(owner)
    if (!pending) return []
    this.pending.delete(owner)
    const tag = owner === undefined ? {} : { subagentRunId: owner }
    if (pending.kind === 'tool') return [{ type: 'TOOL_CALL_END', toolCallId: pending.id, ...tag }]
    return [{ type: pending.kind === 'text' ? 'TEXT_MESSAGE_END' : 'REASONING_MESSAGE_END', messageId: pending.id, ...tag }]
  }
}

export function isChunk(event: AguiEvent): event is Chunk {
  return event.type === 'TEXT_MESSAGE_CHUNK' || event.type === 'TOOL_CALL_CHUNK' || event.type === 'REASONING_MESSAGE_CHUNK'
}

function kindOf({ type }: Chunk): Kind {
  if (type === 'TOOL_CALL_CHUNK') return 'tool'
  return type === 'TEXT_MESSAGE_CHUNK' ? 'text' : 'reasoning'
}

function idOf(chunk: Chunk): string | undefined {
  return chunk.type === 'TOOL_CALL_CHUNK' ? chunk.toolCallId : chunk.messageId
}

function startOf(chunk: Chunk, id: string): Start | undefined {
  const tag = chunk.subagentRunId === undefined ? {} : { subagentRunId: chunk.subagentRunId }
  if (chunk.type === 'REASONING_MESSAGE_CHUNK') return { type: 'REASONING_MESSAGE_START', messageId: id, role: 'reasoning', ...tag }
  if (chunk.type === 'TEXT_MESSAGE_CHUNK') return { type: 'TEXT_MESSAGE_START', messageId: id, role: chunk.role ?? 'assistant', ...(chunk.name !== undefined && { name: chunk.name }), ...tag }
  const { toolCallName, parentMessageId } = chunk
  if (toolCallName === undefined) return undefined
  return { type: 'TOOL_CALL_START', toolCallId: id, toolCallName, ...(parentMessageId !== undefined && { parentMessageId }), ...tag }
}

function contentOf(chunk: Chunk, { kind, id, start }: Pending): AguiEvent[] {
  if (chunk.delta === undefined && chunk.metadata === undefined) return []
  const owner = chunk.subagentRunId ?? start.subagentRunId
  const rest = { delta: chunk.delta ?? '', ...(owner !== undefined && { subagentRunId: owner }), ...(chunk.metadata && { metadata: chunk.metadata }) }
  if (kind === 'tool') return [{ type: 'TOOL_CALL_ARGS', toolCallId: id, ...rest }]
  return [{ type: kind === 'text' ? 'TEXT_MESSAGE_CONTENT' : 'REASONING_MESSAGE_CONTENT', messageId: id, ...rest }]
}
