/** The clients of a rolling restart: raw sockets for the most part, and stock clients and SDKs, some of them on long-polling. */
import { connect, type Client } from '@hubbub/client'
import type { HubEvent } from '@hubbub/protocol'
import { io } from 'socket.io-client'
import { ClientRecord, type Faults } from './record.js'
import { RawSocket } from './socket.js'

export interface CrowdOptions {
  /** Of the balancer, `http://host:port`. */
  url: string
  token: string
  topics: number
  raw: number
  stock: number
  sdk: number
  /** Of the raw ones, so many hear all topics. */
  wildcards: number
}

export interface CrowdReport extends Faults {
  clients: number
  events: number
  /** Clients without a subscription now. */
  away: number
  /** Events that somebody still has to hear. */
  missing: number
  fresh: number
  refusals: string[]
  /** ms of each absence, those that are not over included. */
  absences: number[]
}

/** On their way in at once: a crowd that comes faster than it is taken would only come again. */
const AT_ONCE = 40

export class Crowd {
  private readonly records: ClientRecord[] = []
  private readonly closing: (() => void)[] = []

  constructor(private readonly options: CrowdOptions) {}

  /** Resolves when all are subscribed. */
  async open(): Promise<void> {
    const { raw, stock, sdk, wildcards } = this.options
    const opening = new Set<Promise<void>>()
    const begin = async (count: number, start: (at: number) => Promise<void>) => {
      for (let at = 0; at < count; at++) {
        const one = start(at).finally(() => opening.delete(one))
        opening.add(one)
        if (opening.size >= AT_ONCE) await Promise.race(opening)
      }
    }
    await begin(raw, (at) => this.openRaw(this.record(at, at < wildcards)))
    await begin(stock, (at) => this.openStock(this.record(at, at < 2), at % 2 === 1))
    await begin(sdk, (at) => this.openSdk(this.record(at, at < 2), at % 4 === 3))
    await Promise.all(opening)
  }

  /** @param published events of each topic */
  report(published: readonly number[]): CrowdReport {
    const now = performance.now()
    const sum = (of: (record: ClientRecord) => number) => this.records.reduce((total, record) => total + of(record), 0)
    return {
      clients: this.records.length,
      events: sum(({ events }) => events),
      away: sum(({ isAway }) => (isAway ? 1 : 0)),
      missing: sum((record) => record.missing(published)),
      lost: sum(({ faults }) => faults.lost),
      doubled: sum(({ faults }) => faults.doubled),
      misplaced: sum(({ faults }) => faults.misplaced),
      gaps: sum(({ faults }) => faults.gaps),
      fresh: sum(({ fresh }) => fresh),
      refusals: this.records.flatMap(({ refusals }) => refusals).slice(0, 10),
      absences: this.records.flatMap((record) => (record.isAway ? [...record.absences, record.awayFor(now)] : record.absences)),
    }
  }

  close(): void {
    for (const close of this.closing.splice(0)) close()
  }

  private record(at: number, isWild: boolean): ClientRecord {
    const record = new ClientRecord(this.options.topics, isWild ? undefined : at % this.options.topics)
    this.records.push(record)
    return record
  }

  private openRaw(record: ClientRecord): Promise<void> {
    const socket = new RawSocket(this.options.url.replace('http', 'ws'), this.options.token, record)
    this.closing.push(() => socket.close())
    return socket.open()
  }

  private openStock(record: ClientRecord, isPolling: boolean): Promise<void> {
    const { url, token } = this.options
    const socket = io(url, { auth: { token }, forceNew: true, transports: [isPolling ? 'polling' : 'websocket'], withCredentials: true })
    this.closing.push(() => socket.disconnect())
    socket.on('disconnect', () => record.left())
    socket.on('connect_error', (error: Error & { data?: { code?: string } }) => error.data?.code !== undefined && record.refusals.push(error.data.code))
    socket.onAny((name: string, ...args: unknown[]) => {
      if (name === 'gap') record.faults.gaps++
      else if (name === 'task.progress') hear(record, args[0] as HubEvent, String(args.at(-1)))
    })
    let isSubscribed = false
    return new Promise((resolve) => {
      socket.on('connect', () => {
        // A session that was lost before it was answered may have nothing to recover.
        if (socket.recovered && isSubscribed) return record.back()
        if (record.isAway && isSubscribed) record.fresh++
        socket.emit('subscribe', { topics: [record.subscription] }, () => {
          isSubscribed = true
          record.back()
          resolve()
        })
      })
    })
  }

  private async openSdk(record: ClientRecord, isPolling: boolean): Promise<void> {
    const { url, token } = this.options
    const client: Client = connect(url, { token, withCredentials: true, transports: [isPolling ? 'polling' : 'websocket'] })
    this.closing.push(() => client.close())
    client.on('*', (event, { cursor }) => hear(record, event, cursor))
    client.onGap(() => record.faults.gaps++)
    await client.subscribe({ topics: [record.subscription] })
    client.onState((state) => {
      if (state === 'offline' || state === 'connecting') record.left()
      else if (state === 'live') record.back()
    })
  }
}

function hear(record: ClientRecord, event: HubEvent, cursor: string): void {
  const { taskId, seq } = event.data as { taskId: string; seq: number }
  record.heard(Number(taskId.slice(2)), seq, cursor)
}
