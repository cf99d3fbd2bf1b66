/**
 * Commands that others give and this client carries out. The hub forgets what a connection handles when it ends, so every new one
 * is told again; it answers to a command at most once, whatever the handler does.
 */
import { canonicalCommand, HubError, type CommandAnswer, type CommandCall } from '@hubbub/protocol'
import type { Calls } from './calls.js'

/** What a command's handler is told besides its payload. */
export interface CommandContext {
  readonly commandId: string
  /** Under its canonical name. */
  readonly command: string
  /** Source URI of whoever gave it. */
  readonly by: string
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * Answers the result, anything that JSON can carry. What it throws is told to whoever gave the command as COMMAND_FAILED, with the
 * message and, if it has one, the `code` of the error.
 */
export type CommandHandler = (payload: unknown, context: CommandContext) => unknown

export interface CommandOptions {
  /** 100 to 600,000, default 30,000: how long the executor may take. */
  timeoutMs?: number
}

export const COMMAND_MS = 30_000
/** On top of the executor's time, until the hub's own answer counts as lost, ms. */
export const ANSWER_MS = 5000

type Reply = (answer: CommandAnswer) => void

export class Executor {
  readonly #handlers = new Map<string, CommandHandler>()
  readonly #carryingOut = new Set<(reason: HubError) => void>()
  #isTelling = false
  /** The list changed since the hub was told. */
  #isChanged = false

  constructor(private readonly calls: Calls, private readonly trouble: (error: HubError) => void) {
    calls.onOpened(() => {
      if (this.#handlers.size > 0) this.#changed()
    })
    // The hub told whoever gave them that their executor was lost.
    calls.onDropped(() => {
      for (const stop of this.#carryingOut) stop(new HubError('EXECUTOR_LOST', 'The connection on which the command came is gone, and its answer with it.'))
    })
  }

  /** @throws HubError BUSINESS_LOGIC_ERROR when this client handles the command already */
  handle(name: string, handler: CommandHandler): () => void {
    const command = canonicalCommand(name)
    if (this.#handlers.has(command)) throw new HubError('BUSINESS_LOGIC_ERROR', `This client handles '${command}' already.`)
    this.#handlers.set(command, handler)
    this.#changed()
    return () => {
      if (this.#handlers.get(command) !== handler) return
      this.#handlers.delete(command)
      this.#changed()
    }
  }

  /** The hub asks. */
  async carryOut(call: CommandCall, reply: Reply): Promise<void> {
    const { commandId, command, payload, by, timeoutMs } = call
    const handler = this.#handlers.get(canonicalCommand(command))
    if (!handler) return reply(failed('NO_EXECUTOR', `Nobody handles '${command}' here any more.`))
    const late = new AbortController()
    const stop = (reason: HubError): void => {
      clearTimeout(timer)
      this.#carryingOut.delete(stop)
      late.abort(reason)
    }
    const timer = setTimeout(() => stop(new HubError('COMMAND_TIMEOUT', `'${command}' had ${timeoutMs} ms.`)), timeoutMs)
    this.#carryingOut.add(stop)
    try {
      const result = await handler(payload, { commandId, command, by, signal: late.signal })
      reply(result === undefined ? { ok: true } : { ok: true, result: asJson(result) })
    } catch (error) {
      reply(failed(codeOf(error), messageOf(error)))
    } finally {
      clearTimeout(timer)
      this.#carryingOut.delete(stop)
    }
  }

  /** One telling after the other: the last one says how it stands. Without a connection the next one begins with it. */
  #changed(): void {
    this.#isChanged = true
    if (!this.#isTelling) void this.#tell()
  }

  async #tell(): Promise<void> {
    this.#isTelling = true
    for (let attempt = 0; this.#isChanged && this.calls.isOpen; ) {
      this.#isChanged = false
      try {
        await this.calls.now('command.handle', { commands: [...this.#handlers.keys()] })
        attempt = 0
      } catch (error) {
        if (!this.calls.isOpen) break
        const refusal = error instanceof HubError ? error : new HubError('INTERNAL_ERROR', messageOf(error), undefined, { cause: error })
        this.trouble(refusal)
        // Not on this connection, whatever happens; the next one begins with it.
        if (!refusal.retryable || refusal.details?.['transport'] !== undefined) continue
        this.#isChanged = true
        await this.calls.pause(this.calls.delay(refusal, attempt++)).catch(() => undefined)
      }
    }
    this.#isTelling = false
  }
}

function failed(code: string | undefined, message: string): CommandAnswer {
  return { ok: false, error: { ...(code !== undefined && { code }), message } }
}

/** What JSON cannot carry would otherwise go unanswered. */
function asJson(result: unknown): unknown {
  const text = JSON.stringify(result) as string | undefined
  if (text === undefined) throw new HubError('COMMAND_FAILED', 'The result cannot be written as JSON.')
  return result
}

/** The `code` of an error, where it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_MESSAGE)
}

const LONGEST_MESSAGE = 2000
