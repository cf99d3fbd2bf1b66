/** Who is where, in one process: a map of each group's members, of each the workers that hold it, with what is to be known of it. */
import type { Roster } from '../roster.js'
import type { MemoryContext } from './context.js'

type Group = Map<string, Map<string, string>>

export function roster(context: MemoryContext): Roster {
  return { ...workers(context), ...groupsOf(context) }
}

function workers(context: MemoryContext): Pick<Roster, 'beat' | 'retire'> {
  const beats = new Map<string, number>()
  return {
    async beat(worker, ttlMs) {
      context.checkOpen()
      const now = Date.now()
      beats.set(worker, now)
      for (const [other, at] of beats) if (at <= now - ttlMs) beats.delete(other)
      return [...beats.keys()].sort()
    },
    async retire(worker) {
      context.checkOpen()
      beats.delete(worker)
    },
  }
}

function groupsOf(context: MemoryContext): Omit<Roster, 'beat' | 'retire'> {
  const groups = new Map<string, Group>()
  const find = (number: number, name: string): Group => {
    const { number: partition } = context.partition(number)
    return groups.get(`${partition} ${name}`) ?? new Map()
  }
  const keep = (number: number, name: string, group: Group): void => {
    if (group.size > 0) groups.set(`${number} ${name}`, group)
    else groups.delete(`${number} ${name}`)
  }
  return {
    async update(number, name, worker, changes, alive) {
      const group = find(number, name)
      const outcome = { joined: [] as string[], left: [] as string[] }
      for (const { member, info } of changes) {
        const holders: Map<string, string> = group.get(member) ?? new Map()
        const held = holders.delete(worker)
        const elsewhere = alive.some((other) => holders.has(other))
        if (info !== null) group.set(member, holders.set(worker, info))
        else if (held && !elsewhere) group.delete(member)
        if (!elsewhere && held !== (info !== null)) outcome[held ? 'left' : 'joined'].push(member)
      }
      keep(number, name, group)
      return outcome
    },
    async list(number, name, alive) {
      const entries = [...find(number, name)].flatMap(([member, holders]) => [...holders].map(([worker, info]) => ({ member, worker, info })))
      return entries.filter(({ worker }) => alive.includes(worker))
    },
    async present(number, name, members, alive) {
      const group = find(number, name)
      return members.filter((member) => alive.some((worker) => group.get(member)?.has(worker)))
    },
    async sweep(number, name, alive) {
      const group = find(number, name)
      const left: string[] = []
      for (const [member, holders] of group) {
        for (const worker of holders.keys()) if (!alive.includes(worker)) holders.delete(worker)
        if (holders.size === 0) left.push(member)
      }
      for (const member of left) group.delete(member)
      keep(number, name, group)
      return left
    },
    async renew(number, names, worker) {
      return names.map((name) => [...find(number, name).values()].filter((holders) => holders.has(worker)).length)
    },
  }
}
