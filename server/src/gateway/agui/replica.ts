/**
 * A run as far as its events were read: what a client would hold that had heard them all, and the few events that bring another one
 * there. Also of a run whose beginning is lost: it is known again behind a MESSAGES_SNAPSHOT and a STATE_SNAPSHOT.
 */
import { Chunks } from './chunks.js'
import { EMPTY, indexOf, type RunDocument } from './document.js'
import type { AguiEvent, AguiOf, Message } from './events.js'
import { callIn, fold } from './fold.js'
import { mended } from './mending.js'
import { OpenParts } from './open.js'

export class Replica {
  document: RunDocument = EMPTY
  chunks = new Chunks()
  open: OpenParts
  begun?: AguiOf<'RUN_STARTED'>
  /** Messages that the run made or named, gone ones included. */
  readonly made = new Set<string>()
  private hasMessages = false
  private hasState = false
  private isTorn = false

  /** @param subagents of the run, of which a client was told before what is read here */
  constructor(subagents?: ReadonlySet<string>) {
    this.open = new OpenParts(subagents)
  }

  /** A run's first event: what was read before is another run's of the same id. */
  begin(event: AguiOf<'RUN_STARTED'>): void {
    const { input } = event
    this.begun = event
    this.document = fold({ ...EMPTY, ...(input?.state !== undefined && { state: input.state }) }, event)
    this.chunks = new Chunks()
    this.open = new OpenParts()
    this.made.clear()
    this.note()
  }

  /** @returns what a client must be told that was told all that came before: mostly the event itself. Undefined: it cannot be told rightly. */
  take(event: AguiEvent): AguiEvent[] | undefined {
    // Of a run that was read from its beginning everything has begun that goes on; a fault of its producer is the client's to find.
    const whole = this.begun ? [event] : mended(event, this)
    // In which order they stand is known from here on: what was heard before stood somewhere behind what was not.
    if (event.type === 'MESSAGES_SNAPSHOT' && !this.begun && !this.hasMessages) this.document = { ...this.document, messages: ordered(this.document.messages, event) }
    for (const each of whole ?? []) for (const part of this.chunks.expand(each) ?? []) this.apply(part)
    if (!whole) this.isTorn = true
    if (event.type === 'MESSAGES_SNAPSHOT') {
      this.hasMessages = true
      this.isTorn = false
    }
    if (event.type === 'STATE_SNAPSHOT') this.hasState = true
    return whole
  }

  /** All that a client would hold is known. */
  get isWhole(): boolean {
    return this.begun !== undefined || (this.hasMessages && this.hasState && !this.isTorn)
  }

  /** The run said itself which messages there are: those that only a client has are none. */
  get namesAllMessages(): boolean {
    return this.hasMessages
  }

  /**
   * Brings a client that holds nothing of the run, or something old, to where this stands; what comes then goes on from there.
   * @param others messages that only the client has
   */
  retell(others: readonly Message[] = []): AguiEvent[] {
    const { document, open, chunks } = this
    const [gone, there] = split(this.starts(), (start) => this.holds(start))
    const answered = [...open.unanswered.values()].filter(({ toolCallId }) => !open.calls.has(toolCallId) && callIn(document, toolCallId))
    return [
      // A message that was taken away while it was open: it must have begun, and must not be there.
      ...gone,
      { type: 'MESSAGES_SNAPSHOT', messages: [...others, ...document.messages] },
      ...(document.isStateTold ? [{ type: 'STATE_SNAPSHOT' as const, snapshot: document.state }] : []),
      ...open.lives,
      ...open.steps.values(),
      ...open.spans.values(),
      ...answered.flatMap((start): AguiEvent[] => [this.startOfCall(start), { type: 'TOOL_CALL_END', toolCallId: start.toolCallId }]),
      ...there,
      ...chunks.openers(),
    ]
  }

  private apply(event: AguiEvent): void {
    this.document = fold(this.document, event)
    this.open.note(event)
    if (event.type === 'MESSAGES_SNAPSHOT' || event.type.endsWith('_START') || event.type === 'TOOL_CALL_RESULT' || event.type === 'ACTIVITY_SNAPSHOT') this.note()
  }

  private note(): void {
    for (const { id } of this.document.messages) this.made.add(id)
  }

  /** Of all that is open, but for what chunks put together: those have openers of their own. */
  private starts(): AguiEvent[] {
    const { open, chunks } = this
    return [
      ...[...open.texts.values()].filter(({ messageId }) => !chunks.holds('text', messageId)).map((start) => ({ ...bare(start), ...this.tagOf(start.messageId) })),
      ...[...open.calls.values()].filter(({ toolCallId }) => !chunks.holds('tool', toolCallId)).map((start) => this.startOfCall(start)),
      ...[...open.reasonings.values()].filter(({ messageId }) => !chunks.holds('reasoning', messageId)).map((start) => ({ ...bare(start), ...this.tagOf(start.messageId) })),
    ]
  }

  private startOfCall(start: AguiOf<'TOOL_CALL_START'>): AguiOf<'TOOL_CALL_START'> {
    const found = callIn(this.document, start.toolCallId)
    if (!found) return bare(start)
    const { subagentRunId: _, parentMessageId: __, ...rest } = bare(start)
    return { ...rest, toolCallName: found.call.function.name, parentMessageId: found.message.id, ...this.tagOf(found.message.id) }
  }

  /** The owner that the message has by now; a start that names another one would be refused. */
  private tagOf(id: string): { subagentRunId?: string } {
    const message = this.document.messages[indexOf(this.document, id)]
    return message?.subagentRunId === undefined ? {} : { subagentRunId: message.subagentRunId }
  }

  private holds(start: AguiEvent): boolean {
    if (start.type === 'TOOL_CALL_START') return callIn(this.document, start.toolCallId) !== undefined
    return 'messageId' in start && start.messageId !== undefined && indexOf(this.document, start.messageId) >= 0
  }
}

/** As the snapshot has them; those that it does not name behind. */
function ordered(messages: readonly Message[], { messages: named }: AguiOf<'MESSAGES_SNAPSHOT'>): Message[] {
  const known = new Set(named.map(({ id }) => id))
  return [...named, ...messages.filter(({ id }) => !known.has(id))]
}

/** Metadata is in the message by now; and what one event brought is not brought again. */
function bare<E extends AguiEvent>(event: E): E {
  const { metadata: _, rawEvent: __, timestamp: ___, ...rest } = event
  return rest as unknown as E
}

function split<T>(list: readonly T[], isSecond: (item: T) => boolean): [T[], T[]] {
  const [first, second]: [T[], T[]] = [[], []]
  for (const item of list) (isSecond(item) ? second : first).push(item)
  return [first, second]
}
