/** How the hub is: a sorted set, two hashes and the watch, in one slot; and of each partition a script that reads. */
import { StoreUnavailable } from '../port.js'
import { FORGET_MS, type StoreInfo, type Vitals } from '../vitals.js'
import type { RedisContext } from './context.js'
import { VITALS } from './keys.js'
import { listOf, textOf, textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

const { seen, reports, notes, watch } = VITALS

export function vitals(context: RedisContext): Vitals {
  return {
    async report(id, json, watchMs) {
      const reply = await context.run('vitals.report', SCRIPTS.vitalsReport, [seen, reports, watch], [id, json, String(watchMs), String(FORGET_MS)])
      const [holds, now, others] = textsOf(reply)
      return { watch: holds === '1', now: Number(now), others: Number(others) }
    },
    async all() {
      const [now, places, texts, noted] = listOf(await context.run('vitals.all', SCRIPTS.vitalsLook, [seen, reports, notes], []))
      const found = Object.entries(pairsOf(places)).map(([id, at]) => ({ id, at: Number(at) }))
      const all = textsOf(texts).map((text, place) => {
        const space = text.indexOf(' ')
        return { ...found[place]!, firstAt: Number(text.slice(0, space)), json: text.slice(space + 1) }
      })
      return { now: Number(textOf(now)), reports: all.sort((a, b) => (a.id < b.id ? -1 : 1)), notes: pairsOf(noted) }
    },
    async retire(id) {
      await context.run('vitals.retire', SCRIPTS.vitalsRetire, [seen, reports, watch], [id])
    },
    async note(id, changes) {
      const flat = Object.entries(changes).flatMap(([name, text]) => [name, text === null ? '0' : '1', text ?? ''])
      return (await context.run('vitals.note', SCRIPTS.vitalsNote, [watch, notes], [id, ...flat])) === 1
    },
    // Sent in one turn, they travel as one.
    partitions: () => Promise.all(Array.from({ length: context.options.partitions }, (_, partition) => standing(context, partition))),
    async info() {
      try {
        return together((await context.each('info', (client) => client.info())).map(infoOf))
      } catch (error) {
        // An operator's rules for the hub's user may leave INFO out (`-@dangerous` does): only what it says is not known then.
        if (error instanceof StoreUnavailable) throw error
        return {}
      }
    },
  }
}

async function standing(context: RedisContext, partition: number) {
  const keys = context.keys(partition)
  const [owner, lag, letters, ever] = textsOf(await context.run('vitals.partition', SCRIPTS.vitalsPartition, [keys.commit, ...keys.sourceList, keys.lease, keys.dead], []))
  return { owner: owner === '' ? null : owner!, lag: Number(lag), deadLetters: Number(letters), deadLettersEver: Number(ever) }
}

function pairsOf(reply: unknown): Record<string, string> {
  const flat = textsOf(reply)
  // fromEntries defines a process called `__proto__` as an ordinary property.
  return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!]))
}

/** Clients and operations of all masters; memory and its limit of the one that is nearest to being full, for that one refuses first. */
function together(nodes: readonly StoreInfo[]): StoreInfo {
  const [first = {}, ...others] = nodes
  const fullest = others.reduce((most, node) => (fullness(node) > fullness(most) ? node : most), first)
  const sum = (of: 'clients' | 'operations') => nodes.reduce<number | undefined>((total, node) => (total === undefined || node[of] === undefined ? undefined : total + node[of]), 0)
  return { ...fullest, clients: sum('clients'), operations: sum('operations') }
}

/** Without a limit the bytes decide. */
function fullness({ memoryBytes = 0, memoryLimitBytes = Number.MAX_SAFE_INTEGER }: StoreInfo): number {
  return memoryBytes / memoryLimitBytes
}

/** Of `INFO`: lines `name:value`. A `maxmemory` of 0 is none. */
function infoOf(text: string): StoreInfo {
  const lines = new Map(text.split(/\r?\n/).flatMap((line) => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])))
  const number = (name: string) => (/^\d+$/.test(lines.get(name) ?? '') ? Number(lines.get(name)) : undefined)
  const limit = number('maxmemory')
  return {
    version: lines.get('valkey_version') ?? lines.get('redis_version'),
    memoryBytes: number('used_memory'),
    memoryLimitBytes: limit === 0 ? undefined : limit,
    clients: number('connected_clients'),
    operations: number('instantaneous_ops_per_sec'),
  }
}
