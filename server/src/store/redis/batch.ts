/** A batch as commit.lua takes it, and its answer as the port gives it. The layout of ARGV stands in the script's head. */
import type { Offset } from '@hubbub/protocol'
import { netState } from '../net.js'
import { SOURCES, type Batch, type CommitResult, type Positions } from '../port.js'
import { writeOrigin } from '../provenance.js'
import { cutFields, refusedOutcome } from '../refused.js'
import { encodeState } from './batch-state.js'
import type { PartitionKeys } from './keys.js'
import { textsOf } from './reply.js'

export interface CommitLimits {
  indexMs: number
  deadLetters: number
}

export function encodeBatch(partition: PartitionKeys, batch: Batch, limits: CommitLimits): { keys: string[]; args: string[] } {
  const topics = new Map<string, string>()
  const workers = new Map<string, { appends: string; lines: string }>()
  const waiting = (worker: string) => {
    let entry = workers.get(worker)
    if (!entry) workers.set(worker, (entry = { appends: '', lines: '' }))
    return entry
  }
  const appends: string[] = []
  batch.appends.forEach(({ event, seen, topics: carried, replyTo, origin }, index) => {
    const number = String(index + 1)
    appends.push(event, seen, writeOrigin(batch.number, origin))
    for (const topic of new Set(carried)) topics.set(topic, joined(topics.get(topic), ',', number))
    if (replyTo !== undefined && seen !== '') waiting(replyTo).appends += `${number},`
  })
  const outcomes: string[] = []
  const dead: string[] = []
  for (const refusal of batch.refusals) {
    const outcome = refusedOutcome(refusal.outcome)
    if (refusal.seen !== undefined) {
      outcomes.push(refusal.seen, outcome)
      if (refusal.replyTo !== undefined) waiting(refusal.replyTo).lines += `${refusal.seen} ${outcome}\n`
    }
    if (refusal.dead) dead.push(refusal.dead.stream, refusal.dead.id, refusal.dead.code, refusal.dead.message, JSON.stringify(cutFields(refusal.dead.fields)))
  }
  for (const { seen, outcome, replyTo } of batch.repeats) waiting(replyTo).lines += `${seen} ${outcome}\n`

  const keys = [partition.commit, partition.journal, partition.dead, ...partition.seen, ...partition.sourceList]
  for (const topic of topics.keys()) keys.push(partition.topic(topic))
  const state = encodeState(partition, netState(batch.state, batch.appends.length))
  const hints = [...workers].flatMap(([worker, { appends: numbers, lines }]) => [partition.ack(worker), numbers, lines.trimEnd()])
  const args = [batch.fence, String(batch.number), ...places(batch.from), ...places(batch.to), String(limits.indexMs), String(limits.deadLetters),
    String(batch.appends.length), String(outcomes.length / 2), String(dead.length / 5), String(workers.size), String(topics.size), ...state.counts]
  return { keys: keys.concat(state.keys), args: args.concat(appends, [...topics.values()], outcomes, dead, state.args, hints) }
}

export function decodeCommit(reply: unknown, appends: number): CommitResult {
  const [status, first] = textsOf(reply)
  switch (status) {
    case 'committed':
    case 'replayed':
      return { status: 'committed', offsets: run(first ?? '', appends), replayed: status === 'replayed' }
    case 'fenced':
    case 'lost':
      return { status }
    default:
      throw new Error(`commit: unknown status '${status}'`)
  }
}

/** The hint's lines, as `AckHints.listen` hands them on. */
export function decodeAcks(lines: string): [seen: string, outcome: string][] {
  return lines.split('\n').flatMap((line): [string, string][] => {
    const space = line.indexOf(' ')
    return space > 0 ? [[line.slice(0, space), line.slice(space + 1)]] : []
  })
}

function run(first: Offset, count: number): Offset[] {
  const dash = first.indexOf('-')
  const stem = first.slice(0, dash + 1)
  const seq = Number(first.slice(dash + 1))
  return Array.from({ length: first === '' ? 0 : count }, (_, index) => `${stem}${seq + index}`)
}

function places(positions: Positions): Offset[] {
  return SOURCES.map((name) => positions[name])
}

function joined(before: string | undefined, separator: string, text: string): string {
  return before === undefined ? text : before + separator + text
}
