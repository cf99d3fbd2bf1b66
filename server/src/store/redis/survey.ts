/**
 * Asks several nodes the same at once, and takes the freshest answer: one that was cut off from the others knows only what was. A node
 * that is frozen or gone costs a moment, not a deadline.
 */
import { StoreUnavailable } from '../port.js'
import { endpointName, type Endpoint } from './address.js'
import { Connection } from './connection.js'
import type { Access, RedisClient } from './dial.js'

/** ms for all answers. */
const ANSWER_MS = 1500
/** ms for the others after the first one. */
const OTHERS_MS = 200

export interface Answer<T> {
  /** Of two answers that differ, the one of the higher epoch is newer. */
  epoch: number
  value: T
}

export class Survey {
  private readonly asked = new Map<string, Connection>()
  private closed = false

  constructor(private readonly access: Access) {}

  /** Rejects when none of them answers. */
  async freshest<T>(endpoints: readonly Endpoint[], ask: (client: RedisClient, endpoint: Endpoint) => Promise<Answer<T>>): Promise<T> {
    if (this.closed) throw new StoreUnavailable('topology: the store is closed')
    this.forgetOthers(endpoints)
    const answers: Answer<T>[] = []
    let failure: unknown = new StoreUnavailable('topology: there is nobody to ask')
    let wasAsked = false
    const all = endpoints.map(async (endpoint) => {
      let isAsked = false
      try {
        answers.push(await this.connectionTo(endpoint).call('topology', (client) => {
          isAsked = true
          return ask(client, endpoint)
        }, ANSWER_MS))
      } catch (error) {
        // What one of them says tells more than that another one is away.
        if (isAsked || !wasAsked) failure = error
        wasAsked ||= isAsked
      }
    })
    await enough(all, answers)
    const [first, ...rest] = answers
    if (!first) throw failure
    return rest.reduce((best, answer) => (answer.epoch > best.epoch ? answer : best), first).value
  }

  close(): void {
    this.closed = true
    for (const connection of this.asked.values()) connection.destroy()
    this.asked.clear()
  }

  private connectionTo(endpoint: Endpoint): Connection {
    const name = endpointName(endpoint)
    let connection = this.asked.get(name)
    // Who is away is told by whoever looks for a master; that one of several to ask is away is no news.
    if (!connection) this.asked.set(name, (connection = new Connection({ access: this.access, locate: () => Promise.resolve(endpoint), onError: () => undefined })))
    return connection
  }

  private forgetOthers(endpoints: readonly Endpoint[]): void {
    const names = new Set(endpoints.map(endpointName))
    for (const [name, connection] of this.asked) {
      if (names.has(name)) continue
      connection.destroy()
      this.asked.delete(name)
    }
  }
}

/** Until all are settled, or a while after the first answer. */
async function enough(all: readonly Promise<void>[], answers: readonly unknown[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const while_ = new Promise<void>((resolve) => {
    const answered = (): void => {
      if (answers.length > 0) timer ??= setTimeout(resolve, OTHERS_MS)
    }
    for (const one of all) void one.then(answered)
  })
  await Promise.race([Promise.all(all), while_])
  clearTimeout(timer)
}
