/**
 * Questions from worker to worker, answered once. They travel over the Socket.IO adapter, which may lose any message and whose own
 * acks wait for frozen workers; so a question is repeated until it is known to have arrived, what was taken is never taken twice, and an
 * answer that was lost is told again. A worker that is seen to be dead answers `lost` to whatever it had been asked.
 *
 *   asker                     asked
 *     ask (with body)    -->    takes it, once
 *                        <--    told taken      when it takes longer
 *     ask (bare)         -->    from time to time: what became of it?
 *                        <--    told answered | taken | unknown
 */
import { randomUUID } from 'node:crypto'
import type { Roll } from './roll.js'

/** Carries a message to every other worker; may lose it. */
export type Tell = (message: unknown) => void

export type Reply =
  | { status: 'answered'; answer: unknown }
  /** Its worker is dead, or knows nothing of the question: whether it did anything is unknown. */
  | { status: 'lost' }
  /** No answer in time. */
  | { status: 'silent' }

/** Takes a body as JSON leaves it; never rejects. */
export type Handler = (body: never) => Promise<object>

interface Ask {
  kind: 'ask'
  id: string
  from: string
  to: string[]
  about: string
  /** Absent: whoever does not know the question must not begin with it. */
  body?: object
}

interface Told {
  kind: 'told'
  id: string
  from: string
  to: string
  state: 'answered' | 'taken' | 'unknown'
  answer?: object
}

interface Question {
  id: string
  about: string
  body: object
  /** Monotonic ms. */
  askedAt: number
  repeatAt: number
  repeatMs: number
  /** Who has not answered yet. */
  open: Map<string, { taken: boolean; settle: (reply: Reply) => void }>
}

/** What this worker was asked. */
interface Errand {
  done: boolean
  answer?: object
}

const REPEAT_LEAST_MS = 1000
const REPEAT_MOST_MS = 4000
/** A body is repeated for less long than what was taken is remembered: nothing is begun twice. */
const BODY_MS = 8000
const REMEMBERED_MS = 30_000
/** Answers are held for being told again; of more than these the oldest become `unknown`. */
const ANSWERS_KEPT = 200
/** Who answers sooner need not say that it took the question. */
const TAKEN_MS = 100
const TICK_MS = 250

export class Peers {
  private readonly handlers = new Map<string, Handler>()
  private readonly questions = new Map<string, Question>()
  private readonly errands = new Map<string, Errand>()
  private readonly answered: Errand[] = []
  private readonly timers = new Set<NodeJS.Timeout>()
  private ticking?: NodeJS.Timeout
  private tell: Tell = () => undefined

  constructor(private readonly roll: Pick<Roll, 'worker' | 'alive'>) {}

  attach(tell: Tell): void {
    this.tell = tell
  }

  serve(about: string, handler: Handler): void {
    this.handlers.set(about, handler)
  }

  /** A reply of each worker, in their order, this one included where it is named; they are on the roll. None rejects. */
  ask(workers: readonly string[], about: string, body: object, timeoutMs: number): Promise<Reply>[] {
    const now = performance.now()
    const question: Question = { id: randomUUID(), about, body, askedAt: now, repeatAt: now + REPEAT_LEAST_MS, repeatMs: REPEAT_LEAST_MS, open: new Map() }
    const replies = workers.map((worker) => new Promise<Reply>((resolve) => question.open.set(worker, { taken: false, settle: resolve })))
    this.questions.set(question.id, question)
    const deadline = this.later(timeoutMs, () => this.settleAll(question, { status: 'silent' }))
    void Promise.all(replies).then(() => this.end(question, deadline))
    this.put(question)
    this.ticking ??= setInterval(() => this.tick(), TICK_MS).unref()
    // `serverSideEmit` does not reach its sender.
    if (question.open.has(this.roll.worker)) {
      const settle = (reply: Reply): void => this.settle(question, this.roll.worker, reply)
      this.handlers.get(about)!(body as never).then((answer) => settle({ status: 'answered', answer }), () => settle({ status: 'lost' }))
    }
    return replies
  }

  /** What another worker told; whatever else comes by is ignored. */
  receive(message: unknown): void {
    const { kind, to } = message as Partial<Ask | Told>
    if (kind === 'ask' && to?.includes(this.roll.worker)) this.take(message as Ask)
    else if (kind === 'told' && to === this.roll.worker) this.hear(message as Told)
  }

  /** Whoever waits hears that the answer is lost. */
  close(): void {
    for (const question of [...this.questions.values()]) this.settleAll(question, { status: 'lost' })
    clearInterval(this.ticking)
    for (const timer of this.timers) clearTimeout(timer)
  }

  private take({ id, from, about, body }: Ask): void {
    const known = this.errands.get(id)
    const handler = this.handlers.get(about)
    const tell = (state: Told['state'], answer?: object) => this.tell({ kind: 'told', id, from: this.roll.worker, to: from, state, ...(answer && { answer }) } satisfies Told)
    if (known) return known.done ? tell(known.answer ? 'answered' : 'unknown', known.answer) : tell('taken')
    if (!body || !handler) return tell('unknown')
    const errand: Errand = { done: false }
    this.errands.set(id, errand)
    const late = this.later(TAKEN_MS, () => tell('taken'))
    handler(body as never).then(
      (answer) => {
        this.cancel(late)
        this.keep(id, errand, answer)
        tell('answered', answer)
      },
      () => {
        // It promised not to; whoever asks again is told the same.
        this.cancel(late)
        errand.done = true
        this.later(REMEMBERED_MS, () => this.errands.delete(id))
        tell('unknown')
      },
    )
  }

  private keep(id: string, errand: Errand, answer: object): void {
    errand.done = true
    errand.answer = answer
    this.answered.push(errand)
    if (this.answered.length > ANSWERS_KEPT) delete this.answered.shift()!.answer
    this.later(REMEMBERED_MS, () => this.errands.delete(id))
  }

  private hear({ id, from, state, answer }: Told): void {
    const question = this.questions.get(id)
    const open = question?.open.get(from)
    if (!question || !open) return
    if (state === 'taken') open.taken = true
    else this.settle(question, from, state === 'answered' ? { status: 'answered', answer } : { status: 'lost' })
  }

  private put(question: Question): void {
    const { id, about, body, askedAt } = question
    const from = this.roll.worker
    const fresh = performance.now() - askedAt < BODY_MS
    const others = [...question.open].filter(([worker]) => worker !== from)
    const untaken = others.filter(([, { taken }]) => !taken && fresh).map(([worker]) => worker)
    const rest = others.map(([worker]) => worker).filter((worker) => !untaken.includes(worker))
    if (untaken.length > 0) this.tell({ kind: 'ask', id, from, to: untaken, about, body } satisfies Ask)
    if (rest.length > 0) this.tell({ kind: 'ask', id, from, to: rest, about } satisfies Ask)
  }

  private tick(): void {
    const now = performance.now()
    const alive = new Set(this.roll.alive())
    for (const question of this.questions.values()) {
      for (const worker of [...question.open.keys()]) if (!alive.has(worker)) this.settle(question, worker, { status: 'lost' })
      if (now >= question.repeatAt) {
        question.repeatMs = Math.min(REPEAT_MOST_MS, question.repeatMs * 2)
        question.repeatAt = now + question.repeatMs
        this.put(question)
      }
    }
  }

  private settle(question: Question, worker: string, reply: Reply): void {
    question.open.get(worker)?.settle(reply)
    question.open.delete(worker)
  }

  private settleAll(question: Question, reply: Reply): void {
    for (const worker of [...question.open.keys()]) this.settle(question, worker, reply)
  }

  private end(question: Question, deadline: NodeJS.Timeout): void {
    this.cancel(deadline)
    this.questions.delete(question.id)
    if (this.questions.size > 0) return
    clearInterval(this.ticking)
    this.ticking = undefined
  }

  private later(ms: number, run: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      run()
    }, ms).unref()
    this.timers.add(timer)
    return timer
  }

  private cancel(timer: NodeJS.Timeout): void {
    clearTimeout(timer)
    this.timers.delete(timer)
  }
}
