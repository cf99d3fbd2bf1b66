/** Another Redis in the master's place, with or without what it wrote last. */
import { type Fault, REDIS } from './fault.js'

export const redisFailover: Fault = {
  kind: 'redis-failover',
  draw(world, random) {
    const how = random.pick(['kill', 'freeze'] as const)
    const deafMs = random.chance(0.5) ? random.integer(50, 600) : 0
    return {
      what: `the master ${how === 'kill' ? 'killed' : 'frozen'}${deafMs > 0 ? `, its replica deaf for ${deafMs} ms before` : ''}`,
      holds: [REDIS],
      lastsMs: random.integer(0, 500),
      begin() {
        const { failOver } = world.store
        if (!failOver) throw new Error('a failover needs a world with a replica')
        return failOver(how, deafMs)
      },
    }
  },
}
