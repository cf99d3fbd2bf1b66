/** Reading the state. What is read of it and of the journal's end is one moment, because one script reads it. */
import type { Selection, Selector, StateStore, StoredEntity } from '../entities.js'
import { indexKey, stateKey } from '../net.js'
import { pageBegin, pageToken, PLACES_A_PAGE, type PageEnd } from '../page-token.js'
import type { RedisContext } from './context.js'
import { firstEpoch } from './genesis.js'
import type { PartitionKeys } from './keys.js'
import { listOf, textOf, textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

export function stateStore(context: RedisContext): StateStore {
  return {
    async select(partition, project, selectors, limits) {
      const begin = pageBegin(limits.after, selectors)
      const { keys, args } = encodeSelectors(context.keys(partition), project, selectors, begin)
      const read = () => context.run('select', SCRIPTS.select, keys, [String(limits.count), String(limits.bytes), String(PLACES_A_PAGE), ...args])
      let reply = listOf(await read())
      if (reply[1] === null) {
        // Redis came back empty a moment ago.
        await firstEpoch(context, partition)
        reply = listOf(await read())
      }
      return decodeSelection(reply.map(textOf), selectors, begin)
    },
    counts(partition, project, kind, terms) {
      const keys = context.keys(partition)
      return context.call('counts', keys.commit, (client) => Promise.all(terms.map((term) => client.zCard(keys.index(indexKey(project, kind, term))))))
    },
    async due(partition, count) {
      const [now, next, ...flat] = textsOf(await context.run('due', SCRIPTS.due, [context.keys(partition).timers], [String(count)]))
      const timers: { name: string; due: number }[] = []
      for (let at = 0; at < flat.length; at += 2) timers.push({ name: flat[at]!, due: Number(flat[at + 1]) })
      return { now: Number(now), timers, ...(next === '' ? {} : { next: Number(next) }) }
    },
  }
}

/** Selectors before the one to begin with are left out, so are the ids that were passed. */
function encodeSelectors(partition: PartitionKeys, project: string, selectors: readonly Selector[], begin: PageEnd): { keys: string[]; args: string[] } {
  const keys = [partition.commit, partition.epochs]
  const first = selectors[begin.selector]
  const args = [first && 'term' in first ? begin.behind : '']
  selectors.slice(begin.selector).forEach((selector, index) => {
    const entities = partition.state(stateKey(project, selector.kind))
    if ('ids' in selector) {
      const ids = index === 0 ? selector.ids.slice(Number(begin.behind)) : selector.ids
      keys.push(entities, entities)
      args.push('ids', String(ids.length))
      for (const id of ids) args.push(id)
    } else {
      keys.push(entities, partition.index(indexKey(project, selector.kind, selector.term)))
      args.push(selector.newestFirst ? 'backward' : 'forward', selector.prefix ?? '')
    }
  })
  return { keys, args }
}

function decodeSelection(reply: readonly string[], selectors: readonly Selector[], begin: PageEnd): Selection {
  const [last, epoch, stopped, behind] = reply
  const numberOf = (text: string) => begin.selector + Number(text) - 1
  const entities: StoredEntity[] = []
  for (let at = 4; at + 2 < reply.length; at += 3) {
    entities.push(entityOf(selectors[numberOf(reply[at]!)]!.kind, reply[at + 1]!, reply[at + 2]!))
  }
  const selection: Selection = { last: last!, epoch: epoch!.slice(0, epoch!.indexOf(' ')), entities }
  if (stopped === '') return selection
  const selector = numberOf(stopped!)
  const before = selector === begin.selector && 'ids' in selectors[selector]! ? Number(begin.behind) : 0
  return { ...selection, next: pageToken({ selector, behind: 'ids' in selectors[selector]! ? String(before + Number(behind)) : behind! }) }
}

/** From `revision ms JSON`, as commit.lua writes it. */
function entityOf(kind: Selector['kind'], id: string, value: string): StoredEntity {
  const space = value.indexOf(' ')
  return { kind, id, place: `${value.slice(space + 1, space + 16)} ${id}`, revision: value.slice(0, space), json: value.slice(space + 17) }
}
