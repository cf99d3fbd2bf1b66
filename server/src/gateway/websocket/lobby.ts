/**
 * Where a connection waits that was upgraded before anybody knew whose it is: for dialects whose credentials come in a message, or whose
 * clients expect a refusal as a message. Nobody stays for long, and nothing but a credential is heard.
 */
import type { IncomingMessage } from 'node:http'
import { HubError, type Failure } from '@hubbub/protocol'
import type { RawData, WebSocket } from 'ws'
import { credentialFromAuth, credentialFromRequest, type Presented } from '../../access/credentials.js'
import type { Metrics } from '../../observe/metrics.js'
import type { Follow } from '../../operations/operations.js'
import type { Settings } from '../../settings/table.js'
import { hubErrorOf } from '../../store/failure.js'
import { endingOf } from './closing.js'
import type { Dialect, Opening } from './dialect.js'
import { parseMessage } from './parse.js'

export interface LobbyDeps {
  id: string
  socket: WebSocket
  dialect: Dialect
  request: IncomingMessage
  settings: Settings
  metrics: Metrics
  /** Rejects with `HubError`. */
  admit: (presented: Presented & { auth?: unknown }) => Promise<{ opening: Opening; follow: Follow }>
  /** Synchronous: takes over the socket's messages. */
  enter: (arrival: { opening: Opening; follow: Follow }) => unknown
}

/** Messages that a client sends before it is let in. */
const MOST_EARLY = 32

export class Lobby {
  private timer?: NodeJS.Timeout
  private early: [RawData, boolean][] = []
  private busy = false

  constructor(private readonly deps: LobbyDeps) {
    deps.socket.on('message', this.hear)
    deps.socket.once('close', () => clearTimeout(this.timer))
  }

  begin(): void {
    const { id, socket, settings, dialect } = this.deps
    if (dialect.entrance!.greeting) socket.send(JSON.stringify(dialect.entrance!.greeting(id, settings)))
    this.timer = setTimeout(() => this.refuse(this.late()), settings.connectTimeoutMs)
    let presented: Presented
    try {
      presented = this.presented()
    } catch (error) {
      return this.refuse(error)
    }
    if (presented.credential || settings.auth === 'none' || !dialect.entrance!.waits) void this.tryToEnter(presented)
  }

  private readonly hear = (data: RawData, isBinary: boolean): void => {
    if (this.busy) {
      if (this.early.push([data, isBinary]) > MOST_EARLY) this.refuse(new HubError('RATE_LIMITED'))
      return
    }
    try {
      const auth = this.deps.dialect.entrance!.credentialsIn(parseMessage(data, isBinary))
      if (auth === undefined) throw new HubError('AUTH_MISSING_TOKEN')
      void this.tryToEnter({ ...this.presented(), ...credentialFromAuth(auth), auth })
    } catch (error) {
      this.refuse(error)
    }
  }

  /** With a credential that is still looked at it is the hub that is late: the client should come back. */
  private late(): HubError {
    const ms = this.deps.settings.connectTimeoutMs
    return this.busy ? new HubError('UNAVAILABLE', `The connection could not be opened within ${ms} ms.`) : new HubError('AUTH_MISSING_TOKEN', `No credential came within ${ms} ms.`)
  }

  private presented(): Presented {
    const { dialect, request } = this.deps
    return dialect.entrance!.presentedBy?.(request) ?? credentialFromRequest(request)
  }

  private async tryToEnter(presented: Presented & { auth?: unknown }): Promise<void> {
    const { socket, admit, enter } = this.deps
    this.busy = true
    // What else it sends waits in the network: its credential is not known to be one.
    socket.pause()
    try {
      const arrival = await admit(presented)
      clearTimeout(this.timer)
      if (socket.readyState !== socket.OPEN) return
      socket.off('message', this.hear)
      enter(arrival)
      for (const [data, isBinary] of this.early) socket.emit('message', data, isBinary)
    } catch (error) {
      this.refuse(error)
    } finally {
      socket.resume()
    }
  }

  private refuse(error: unknown): void {
    const { socket, dialect, metrics } = this.deps
    clearTimeout(this.timer)
    socket.off('message', this.hear)
    if (socket.readyState !== socket.OPEN) return
    const failure = hubErrorOf(error)
    metrics.rejections.inc({ code: failure.code })
    socket.send(JSON.stringify(dialect.entrance!.refused(failure.toJSON() satisfies Failure)))
    const { code, reason } = endingOf(dialect, failure)
    socket.close(code, reason)
  }
}
