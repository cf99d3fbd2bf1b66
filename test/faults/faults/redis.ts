/** Redis: gone and back with what its files hold, or full. */
import { createClient } from 'redis'
import { eventually } from '../../harness/eventually.js'
import type { World } from '../world.js'
import { type Fault, REDIS } from './fault.js'

export const redisRestart: Fault = {
  kind: 'redis-restart',
  draw(world, random) {
    return {
      what: 'redis, with its append-only file',
      holds: [REDIS],
      lastsMs: random.integer(50, 2000),
      async begin() {
        await world.store.signal('SIGKILL')
        return () => world.store.restart()
      },
    }
  },
}

/** Room for nothing more, in memory or on its disk: whatever writes is refused, reading goes on. */
export const full: Fault = {
  kind: 'full',
  draw(world, random) {
    const isDisk = random.chance(0.4)
    const share = random.pick([0.9, 0.99, 1.001])
    return {
      what: isDisk ? 'the disk of redis' : `redis at its maxmemory, ${share} of what it uses`,
      holds: [REDIS],
      lastsMs: random.integer(300, 3000),
      async begin() {
        if (isDisk) await world.store.fillDisk(true)
        else await limitMemory(world, share)
        return () => (isDisk ? world.store.fillDisk(false) : limitMemory(world, 0))
      },
    }
  },
}

/** @param share of what is used now; 0: no limit */
function limitMemory(world: World, share: number): Promise<void> {
  return told(world, async (client) => {
    const used = Number(/used_memory:(\d+)/.exec(String(await client.sendCommand(['INFO', 'memory'])))![1])
    await client.sendCommand(['CONFIG', 'SET', 'maxmemory', String(Math.floor(used * share))])
  })
}

type Told = { sendCommand(command: string[]): Promise<unknown> }

/** Redis answers slowly while it is busy with what piled up; it has its time. */
async function told(world: World, tell: (client: Told) => Promise<void>): Promise<void> {
  await eventually(
    async () => {
      const client = createClient({ url: world.store.url(), socket: { reconnectStrategy: false, connectTimeout: 2000 } })
      client.on('error', () => {})
      try {
        await client.connect()
        await tell(client)
        return true
      } finally {
        client.destroy()
      }
    },
    'an answer of redis',
    20_000,
    100,
  )
}
