/**
 * The whole terminal, drawn line by line, and given back as it was: whatever ends the program, the cursor and the lines of before are there
 * again. Only lines that changed are written.
 */
import { constants } from 'node:os'
import type { ReadStream, WriteStream } from 'node:tty'
import { readKeys, type Key } from './keys.js'
import { clipPainted } from './paint.js'

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'

export interface ScreenEvents {
  onKey: (key: Key) => void
  /** Another size, or the program came back to the foreground. */
  onResize: () => void
  /** A signal asks it to end. */
  onEnd: (code: number) => void
}

export class Screen {
  private shown: string[] = []
  private isOpen = false
  private isClosed = false
  private stopKeys: () => void = () => undefined
  private readonly signals: [NodeJS.Signals, () => void][] = []
  private readonly giveBack = (): void => this.leave()

  constructor(private readonly input: ReadStream, private readonly output: WriteStream, private readonly events: ScreenEvents) {}

  get size(): { columns: number; rows: number } {
    return { columns: this.output.columns || 80, rows: this.output.rows || 24 }
  }

  open(): void {
    // The last word on the way out, also after a fault.
    process.on('exit', this.giveBack)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) this.on(signal, () => this.events.onEnd(128 + constants.signals[signal]))
    this.on('SIGCONT', this.resume)
    this.output.on('resize', this.resized)
    this.enter()
  }

  close(): void {
    this.isClosed = true
    this.leave()
    this.output.off('resize', this.resized)
    process.off('exit', this.giveBack)
    for (const [signal, listener] of this.signals) process.off(signal, listener)
  }

  /** @param lines from the top. What is wider is cut with an ellipsis: half a figure would be read as another one. */
  draw(lines: readonly string[]): void {
    if (!this.isOpen) return
    const { columns, rows } = this.size
    let text = ''
    for (let row = 0; row < rows; row++) {
      const line = clipPainted(lines[row] ?? '', columns)
      if (this.shown[row] !== line) text += `\u001b[${row + 1};1H\u001b[2K${line}`
      this.shown[row] = line
    }
    if (text !== '') this.output.write(text)
  }

  private enter(): void {
    if (this.isOpen) return
    this.isOpen = true
    this.shown = []
    this.input.setRawMode?.(true)
    this.stopKeys = readKeys(this.input, (key) => (key === 'ctrl-z' ? this.rest() : this.events.onKey(key)))
    this.output.write(`${ENTER}\u001b[2J`)
  }

  private leave(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.stopKeys()
    this.input.setRawMode?.(false)
    this.input.pause()
    this.output.write(LEAVE)
  }

  /** Into the background, as Ctrl-Z does with any program; `fg` brings it back. The whole job: the shell waits for `npx`, not for us. */
  private rest(): void {
    this.leave()
    process.kill(0, 'SIGTSTP')
    // Where no shell waits, as in a container, nobody is stopped, and no SIGCONT comes.
    setImmediate(this.resume)
  }

  /** Out and in again: what was stopped by SIGSTOP never left, and its terminal may have been another program's since. */
  private readonly resume = (): void => {
    if (this.isClosed) return
    this.leave()
    this.enter()
    this.events.onResize()
  }

  private readonly resized = (): void => {
    this.shown = []
    this.events.onResize()
  }

  private on(signal: NodeJS.Signals, listener: () => void): void {
    this.signals.push([signal, listener])
    process.on(signal, listener)
  }
}
