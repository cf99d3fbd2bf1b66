/** A hub of one process with sinks to a receiver of the test's. */
import type { EventInput } from '@hubbub/protocol'
import { SERVICE, startStateHub, type StateHub } from './stateHub.js'
import { startReceiver, type Receiver } from './sinksReceiver.js'

export const SETTINGS = { sinkPrivate: 'allow', sinkHttp: 'allow', sinkRetryMs: 20, sinkRetryMostMs: 100, sinkTimeoutMs: 400, workerMs: 600, maxSinks: 40 }

export interface Shown {
  id: string
  secret: string
  status: string
  reason?: string
  cursor: string
  attempts: number
  deliveries: number
  lag: { events: number; ms: number }
  lastError?: { message: string; event: string }
  [more: string]: unknown
}

export class SinkScene {
  hub!: StateHub
  /** A fresh one for each test. */
  receiver!: Receiver

  /** As a service; the receiver and `task:*` unless the fields say otherwise. */
  async add(fields: Record<string, unknown> = {}): Promise<Shown> {
    const told = await this.hub.ask('/api/v1/sinks', { json: { url: this.receiver.url, topics: ['task:*'], ...fields }, as: SERVICE })
    if (told.status !== 201) throw new Error(told.text)
    return told.body as unknown as Shown
  }

  show(id: string): Promise<Shown> {
    return this.hub.get<Shown>(`/api/v1/sinks/${id}`)
  }

  async steer(id: string, action: 'pause' | 'resume'): Promise<Shown> {
    return (await this.hub.ask(`/api/v1/sinks/${id}/${action}`, { method: 'POST', as: SERVICE })).body as unknown as Shown
  }

  /** `data.seq` of what was taken. */
  seqs(): unknown[] {
    return this.receiver.taken.map(({ event }) => event.data['seq'])
  }
}

/** For the tests of the file. */
export function sinkScene(): SinkScene {
  const scene = new SinkScene()
  beforeAll(async () => {
    scene.hub = await startStateHub('memory', SETTINGS)
  })
  afterAll(() => scene.hub.close())
  beforeEach(async () => {
    scene.receiver = await startReceiver()
  })
  afterEach(async () => {
    const { sinks } = await scene.hub.get<{ sinks: { id: string }[] }>('/api/v1/sinks')
    for (const { id } of sinks) await scene.hub.ask(`/api/v1/sinks/${id}`, { method: 'DELETE' })
    await scene.receiver.shut()
  })
  return scene
}

let numbers = 0

export function progress(seq: number, taskId = `T-${numbers}`): EventInput {
  return { id: `e${++numbers}`, type: 'task.progress', data: { taskId, progress: 50, producer: 'p', seq } }
}

export function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, n) => n + from)
}
