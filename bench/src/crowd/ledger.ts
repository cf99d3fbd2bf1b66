/** What one subscriber was given: each topic's events must come in order, each once. Delays go to a histogram that all of a crowd share. */

const TASK = Buffer.from('"taskId":"T-')
const SEQ = '","seq":'.length
const AT = ',"at":'.length
const [ZERO, NINE, T, DASH, QUOTE, COLON] = [0x30, 0x39, 0x54, 0x2d, 0x22, 0x3a]

/** Where `T-` of the task's id stood in the last frame, from its begin: it mostly is there again. */
let hint = 0

export class Tally {
  received = 0
  readonly faults: string[] = []
  readonly delays = new Delays()
  /** Of the published clock, µs; set where delays are asked for. */
  now: (() => number) | undefined

  fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text)
  }
}

export class Ledger {
  /** The number that comes next, by topic. */
  private readonly next = new Map<number, number>()
  private topic = -1
  private expected = 0

  constructor(private readonly tally: Tally, private readonly name: string) {}

  /** Notes the event that stands there. */
  note(bytes: Buffer, from: number, to: number): void {
    let at = from + hint
    if (bytes[at] !== T || bytes[at + 1] !== DASH || bytes[at - 1] !== QUOTE || bytes[at - 2] !== COLON) {
      const found = bytes.indexOf(TASK, from)
      if (found < 0 || found >= to) return this.tally.fault(`${this.name}: no event: ${bytes.toString('utf8', from, Math.min(to, from + 200))}`)
      at = found + TASK.length - 2
      hint = at - from
    }
    at += 2
    let topic = 0
    for (let digit = bytes[at]!; digit >= ZERO && digit <= NINE; digit = bytes[++at]!) topic = topic * 10 + digit - ZERO
    at += SEQ
    let seq = 0
    for (let digit = bytes[at]!; digit >= ZERO && digit <= NINE; digit = bytes[++at]!) seq = seq * 10 + digit - ZERO
    if (topic !== this.topic) this.turnTo(topic)
    if (seq !== this.expected) this.tally.fault(`${this.name}: topic ${topic} gave ${seq}, expected ${this.expected}`)
    this.expected = seq + 1
    this.tally.received++
    const { now } = this.tally
    if (now === undefined) return
    at += AT
    let sent = 0
    for (let digit = bytes[at]!; digit >= ZERO && digit <= NINE; digit = bytes[++at]!) sent = sent * 10 + digit - ZERO
    this.tally.delays.add(now() - sent)
  }

  /** It begins here with whatever comes. */
  forget(topic: number, next: number): void {
    if (topic === this.topic) this.expected = next
    else this.next.set(topic, next)
  }

  private turnTo(topic: number): void {
    if (this.topic >= 0) this.next.set(this.topic, this.expected)
    this.topic = topic
    this.expected = this.next.get(topic) ?? 0
  }
}

const BIN_US = 10

/** Delays up to 2 s, to 10 µs. */
export class Delays {
  private readonly bins = new Uint32Array(200_000)
  count = 0

  add(us: number): void {
    this.bins[Math.min(this.bins.length - 1, Math.max(0, Math.floor(us / BIN_US)))]!++
    this.count++
  }

  /** ms. @param share 0.99 */
  percentile(share: number): number {
    let left = Math.ceil(this.count * share)
    for (const [bin, count] of this.bins.entries()) {
      left -= count
      if (left <= 0) return ((bin + 1) * BIN_US) / 1000
    }
    return Number.NaN
  }

  clear(): void {
    this.bins.fill(0)
    this.count = 0
  }
}
