/** Whether a client began a message and does not finish it: frames are limited in size only, and between fragments a peer may answer pings for ever. */
import type { WebSocket } from 'ws'

/** Of ws's own reader. Nothing public tells that it is amidst a message, and reading the frames a second time would cost each of them. */
interface Reader {
  /** The opcode of a message of which fragments are missing; 0: none. */
  _fragmented: number
  /** 0: at the beginning of a frame. */
  _state: number
  _bufferedBytes: number
}

export class Unfinished {
  private beganAt?: number

  constructor(private readonly socket: WebSocket) {
    socket.on('message', () => (this.beganAt = undefined))
  }

  /** Since it was first seen, ms; 0: no message is unfinished. To be asked now and then: it is seen only by asking. */
  age(): number {
    if (!this.isAmidst()) this.beganAt = undefined
    else this.beganAt ??= performance.now()
    return this.beganAt === undefined ? 0 : performance.now() - this.beganAt
  }

  private isAmidst(): boolean {
    const { _receiver: reader } = this.socket as unknown as { _receiver?: Reader }
    // Whoever is not read cannot finish.
    return reader !== undefined && !this.socket.isPaused && (reader._fragmented !== 0 || reader._state !== 0 || reader._bufferedBytes > 0)
  }
}
