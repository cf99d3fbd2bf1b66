/** Commit throughput of one processor process: events that stand in a source stream, until all of them stand in the journal. */
import { append, benchStore } from './load.js'
import { cpuSeconds, median, startChild, startRedis } from './processes.js'

export interface CommitFigures {
  eventsPerSecond: number
  eventsPerCpuSecond: number
  bytesPerEvent: number
}

export async function measureCommit(events: number, rounds: number, say: (line: string) => void): Promise<CommitFigures> {
  const redis = await startRedis()
  const store = await benchStore(redis.url)
  const processor = await startChild('./hubProcess.js', { role: 'processor', redisUrl: redis.url, retentionCount: events * (rounds + 1) })
  try {
    const wall: number[] = []
    const cpu: number[] = []
    await round(0, 5000)
    for (let i = 0; i < rounds; i++) {
      const figures = await round(5000 + i * events, events)
      wall.push(events / figures.seconds)
      cpu.push(events / figures.cpu)
      say(`  round ${i + 1} of ${rounds}: ${Math.round(events / figures.seconds)} events/s`)
    }
    const { last } = await store.head(0)
    const [entry] = (await store.readRange(0, '0-0', last, 1)).entries
    return { eventsPerSecond: median(wall), eventsPerCpuSecond: median(cpu), bytesPerEvent: entry?.event.length ?? 0 }
  } finally {
    await processor.stop()
    await store.close()
    await redis.stop()
  }

  /** The processor is stopped while the source fills, so that only its own work is timed. */
  async function round(from: number, count: number): Promise<{ seconds: number; cpu: number }> {
    process.kill(processor.pid, 'SIGSTOP')
    const tail = store.openTail(0)
    const before = (await store.head(0)).last
    await append(store, from, count)
    const cpuBefore = cpuSeconds(processor.pid)
    const began = performance.now()
    process.kill(processor.pid, 'SIGCONT')
    let after = before
    for (let seen = 0; seen < count; ) {
      const entries = await tail.read(after, 5000, 5000)
      seen += entries.length
      after = entries[entries.length - 1]?.offset ?? after
    }
    const seconds = (performance.now() - began) / 1000
    await tail.close()
    return { seconds, cpu: cpuSeconds(processor.pid) - cpuBefore }
  }
}
