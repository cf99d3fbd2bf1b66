/** What a connection costs: authenticated, three subscriptions, nothing to hear; of a worker and of Redis. */
import { setTimeout as pause } from 'node:timers/promises'
import { readFileSync } from 'node:fs'
import { CostStage, type HubProcess } from './stage.js'

/** One of its own, one that a hundredth of all share, and a wildcard. */
const TOPICS = ['task:T-#', 'pipeline:P-#', 'agent:*']
const SETTLE_MS = 5000
/** One interval of Socket.IO's pings. */
const IDLE_MS = 25_000

export async function measureConnections(counts: readonly number[], say: (line: string) => void): Promise<void> {
  const stage = await CostStage.open()
  try {
    const hub = await stage.hub('worker', { partitions: 4, maxConnections: 1_000_000 })
    const crowd = await stage.crowd({ url: hub.url })
    await crowd.grow({ count: 100, topics: TOPICS })
    await pause(SETTLE_MS)
    // After a collection, and the kernel has its pages back: what starting took is no cost of connections.
    await hub.look({ collect: true })
    await pause(SETTLE_MS)
    const zero = { hub: await hub.look({ collect: true }), redis: await stage.redis() }
    say(`  a worker with 100 connections: ${mb(zero.hub.rss)} resident`)
    say('  connections  resident  each   held each  most while connecting  CPU a connect  Redis: bytes  CPU a connect  idle CPU of the worker')
    let before = 100
    for (const count of counts) {
      const start = { hub: await hub.look(), redis: await stage.redis() }
      await crowd.grow({ count: count - before, topics: TOPICS })
      const grown = { hub: await hub.look(), redis: await stage.redis() }
      await pause(SETTLE_MS)
      const idle = await idleShare(hub)
      const now = { hub: await hub.look(), held: await hub.look({ collect: true }), redis: await stage.redis() }
      const more = count - before
      const each = (bytes: number, from: number) => `${((bytes - from) / (count - 100) / 1024).toFixed(1)} KB`
      say(
        [
          String(count).padStart(13), mb(now.hub.rss).padStart(9), each(now.hub.rss, zero.hub.rss).padStart(8), each(held(now.held), held(zero.hub)).padStart(10), mb(mostOf(hub)).padStart(16), micros(grown.hub.cpu - start.hub.cpu, more).padStart(18),
          each(now.redis.bytes, zero.redis.bytes).padStart(13), micros(grown.redis.cpu - start.redis.cpu, more).padStart(13), `${(idle * 100).toFixed(1)} %`.padStart(14),
        ].join(' '),
      )
      before = count
    }
  } finally {
    await stage.close()
  }
}

/** Of one core. */
async function idleShare(hub: HubProcess): Promise<number> {
  const before = (await hub.look()).cpu
  const began = performance.now()
  await pause(IDLE_MS)
  return ((await hub.look()).cpu - before) / ((performance.now() - began) / 1000)
}

function held({ heap, external }: { heap: number; external: number }): number {
  return heap + external
}

/** Bytes resident at most since the start. */
function mostOf({ pid }: HubProcess): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1024
}

function micros(seconds: number, count: number): string {
  return `${Math.round((seconds * 1e6) / count)} µs`
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`
}
