/** The processor alone, checks, state and index on, beside the bare loop that copies one stream to another. */
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'redis'
import type { Emitter, Stage as StageType } from '../ground/stage.js'
import { UNLIMITED } from '../peers/peers.js'
import type { LoopOptions } from '../peers/groupLoop.js'
import type { Scenario } from './scenario.js'
import { cpuOf } from '../ground/meters.js'
import { Stage } from '../ground/stage.js'
import { short } from '../report/numbers.js'
import { cellOf, ratio, titlesOf } from './rounds.js'

const EVENTS = 40_000
const TASKS = 1000
const BATCH = 500

interface Rival {
  name: string
  title: string
  pid: number
  emitter: Emitter
  /** Entries of its journal so far. */
  journal: () => Promise<number>
}

export const processor: Scenario = {
  name: 'processor',
  title: 'The processor alone',
  async run({ rounds, say }) {
    say(`${EVENTS} events that stand in the source stream, of ${TASKS} tasks`)
    const stage = new Stage()
    try {
      const rivals = [await hubbub(stage), await bare(stage)]
      const wall: Record<string, number[]> = { hubbub: [], bare: [] }
      const cpu: Record<string, number[]> = { hubbub: [], bare: [] }
      for (let round = 0; round <= rounds; round++) {
        for (const rival of rivals) {
          const { seconds, worked } = await drain(rival)
          if (round === 0) continue
          wall[rival.name]!.push(EVENTS / seconds)
          cpu[rival.name]!.push(EVENTS / worked)
        }
        if (round > 0) say(`  round ${round} of ${rounds}: ${rivals.map(({ name }) => `${name} ${short(wall[name]!.at(-1)!)}`).join(', ')}`)
      }
      const titles = titlesOf(rivals)
      const cells = { hubbub: cellOf(wall['hubbub']!), bare: cellOf(wall['bare']!) }
      return [
        {
          what: 'events that stand in the source stream', unit: 'events/s', cells, titles,
          demands: [{ what: 'events/s', reached: cells.hubbub.value, least: 40_000, unit: 'events/s' }, { what: 'times the bare loop', reached: ratio(cells.hubbub, cells.bare), least: 0.7 }],
        },
        { what: 'the same', unit: 'events per CPU second of its process', cells: { hubbub: cellOf(cpu['hubbub']!), bare: cellOf(cpu['bare']!) }, titles, demands: [] },
      ]
    } finally {
      await stage.close()
    }
  },
}

async function hubbub(stage: StageType): Promise<Rival> {
  const redis = await stage.redis()
  const child = await stage.start('ground/hubProcess.js', { ...UNLIMITED, redisUrl: redis.url, role: 'processor', retentionCount: 10_000_000, retentionBytes: 2 ** 33, leaseMs: 120_000 })
  return { name: 'hubbub', title: 'Hubbub', pid: child.pid, emitter: await stage.emitter({ peer: 'hubbub', redisUrl: redis.url }), journal: await lengthOf(redis.url, 'hubbub:{p0}:journal', stage) }
}

async function bare(stage: StageType): Promise<Rival> {
  const redis = await stage.redis()
  const child = await stage.start('peers/groupLoop.js', { redisUrl: redis.url, mode: 'copy', source: 'bench:source', journal: 'bench:journal', count: BATCH } satisfies LoopOptions)
  return { name: 'bare', title: 'XREADGROUP + XADD + XACK', pid: child.pid, emitter: await stage.emitter({ peer: 'stream', redisUrl: redis.url, key: 'bench:source' }), journal: await lengthOf(redis.url, 'bench:journal', stage) }
}

async function lengthOf(url: string, key: string, stage: StageType): Promise<() => Promise<number>> {
  const client = await createClient({ url }).connect()
  stage.onClose(async () => client.destroy())
  return () => client.xLen(key)
}

/** Frozen while the source fills, so that only its own work is timed. */
async function drain({ pid, emitter, journal }: Rival): Promise<{ seconds: number; worked: number }> {
  process.kill(pid, 'SIGSTOP')
  const before = await journal()
  for (let sent = 0; sent < EVENTS; sent += 10_000) await emitter.emit({ order: 'burst', topics: { from: 0, count: TASKS }, events: 10_000 })
  const worked = cpuOf(pid)
  const began = performance.now()
  process.kill(pid, 'SIGCONT')
  while ((await journal()) < before + EVENTS) await pause(2)
  return { seconds: (performance.now() - began) / 1000, worked: cpuOf(pid) - worked }
}
