/**
 * Who is where: of each group a hash of its members, a field for each worker that holds one, and a hash that counts them by worker. So a
 * change costs by the workers that hold the group, not by its members, and a sweep looks at members only after a worker died.
 */
import type { Roster } from '../roster.js'
import type { RedisContext } from './context.js'
import { GLOBAL } from './keys.js'
import { listOf, textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

/** A group ends this long after the last change, sweep or renewal; ms. */
const TTL = String(3_600_000)
/** Members or groups of one script call: Redis does nothing else meanwhile. */
const STEP = 1000
const JOINS = '1'
const LEAVES = '0'

export function roster(context: RedisContext): Roster {
  const keysOf = (partition: number, group: string) => context.keys(partition).roster(group)
  return {
    async beat(worker, ttlMs) {
      return textsOf(await context.run('roster.beat', SCRIPTS.join, [GLOBAL.workers], [worker, String(ttlMs)])).sort()
    },
    async retire(worker) {
      await context.call('roster.retire', GLOBAL.workers, (client) => client.zRem(GLOBAL.workers, worker))
    },
    async update(partition, group, worker, changes, alive) {
      const living = [...new Set([...alive, worker])]
      const joined: string[] = []
      const left: string[] = []
      for (const some of steps(changes)) {
        const flat = some.flatMap(({ member, info }) => (info === null ? [member, LEAVES, ''] : [member, JOINS, info]))
        const args = [worker, TTL, String(living.length), ...living, ...flat]
        const [came, went] = listOf(await context.run('roster.update', SCRIPTS.rosterUpdate, keysOf(partition, group), args))
        joined.push(...textsOf(came))
        left.push(...textsOf(went))
      }
      return { joined, left }
    },
    async list(partition, group, alive) {
      const [members] = keysOf(partition, group)
      const fields = await context.call('roster.list', members, (client) => client.hGetAll(members))
      return Object.entries(fields).flatMap(([field, info]) => {
        const at = field.indexOf('\0')
        const worker = field.slice(at + 1)
        return alive.includes(worker) ? [{ member: field.slice(0, at), worker, info }] : []
      })
    },
    async present(partition, group, members, alive) {
      const present: string[] = []
      for (const some of steps(members)) {
        const args = [String(alive.length), ...alive, ...some]
        present.push(...textsOf(await context.run('roster.present', SCRIPTS.rosterPresent, keysOf(partition, group), args)))
      }
      return present
    },
    async sweep(partition, group, alive) {
      return textsOf(await context.run('roster.sweep', SCRIPTS.rosterSweep, keysOf(partition, group), [TTL, ...alive]))
    },
    async renew(partition, groups, worker) {
      const counts: number[] = []
      for (const some of steps(groups)) {
        const keys = some.flatMap((group) => keysOf(partition, group))
        counts.push(...listOf(await context.run('roster.renew', SCRIPTS.rosterRenew, keys, [worker, TTL])).map(Number))
      }
      return counts
    },
  }
}

function* steps<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += STEP) yield list.slice(at, at + STEP)
}
