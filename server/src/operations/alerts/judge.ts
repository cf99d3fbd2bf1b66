/**
 * What is wrong with the hub, as far as its watch can tell: pure, from what the processes and the store said at one moment. Between its
 * two limits a figure changes nothing, so that an alert does not come and go with each look.
 */
import type { AlertName } from '@hubbub/protocol'
import type { Settings } from '../../settings/table.js'
import type { Findings, Told } from '../overview-assembly.js'
import { nameOf, type Entry, type Judgement } from './book.js'

export interface Situation extends Pick<Findings, 'now' | 'partitions' | 'info'> {
  /** ms by the store's clock: since when the watch would have seen whoever spoke. */
  steadySince: number
  told: readonly Told[]
  entries: ReadonlyMap<string, Entry>
}

export type JudgeSettings = Pick<Settings, 'workerMs' | 'leaseMs' | 'alertLag' | 'alertMemory' | 'alertRefusals' | 'alertSlow'>

/** Partitions named in a message. */
const NAMED = 5

export function judge(situation: Situation, settings: JudgeSettings): Judgement[] {
  return [...lost(situation, settings), unowned(situation, settings), behind(situation, settings), memory(situation, settings), refusals(situation, settings), slow(situation, settings)]
}

/**
 * A process that is silent and did not stop in order. Somebody who lived when it last spoke must still live: where the whole hub was ended
 * and started anew nobody is missed. It is over when it speaks again, or a process of its role came since, each of which replaces one.
 */
function lost({ now, steadySince, told, entries }: Situation, { workerMs }: JudgeSettings): Judgement[] {
  const speaking = told.filter(({ silent }) => !silent)
  const spare = speaking.map(({ record, firstAt }) => ({ role: record.role, firstAt }))
  return told.toSorted((a, b) => a.at - b.at).map(({ id, record, at, silent }): Judgement => {
    const { role, node } = record
    // Of a report from a later time, by a clock that was set back since, the age is not known: it counts from there.
    const spoke = at > now ? steadySince : at
    const seconds = Math.round((now - spoke) / 1000)
    const judgement: Judgement = {
      alert: 'process-lost', subject: id, verdict: 'unchanged', severity: 'critical', component: `${role}:${id}`, value: now - spoke, limit: workerMs, unit: 'ms', since: at,
      message: `The ${nounOf(role)} ${node} has said nothing for ${seconds} s and did not stop in order.`, cleared: `The ${nounOf(role)} ${node} speaks again.`,
    }
    if (!silent) return { ...judgement, verdict: 'clear' }
    const entry = entries.get(nameOf(judgement))
    const successor = spare.findIndex((other) => other.role === role && other.firstAt > at)
    if (successor >= 0) spare.splice(successor, 1)
    if (entry?.status === 'firing' && entry.since === at) return successor < 0 ? judgement : { ...judgement, verdict: 'clear', cleared: `Another ${nounOf(role)} came in the place of ${node}.` }
    const missed = now - Math.max(spoke, steadySince) > workerMs && speaking.some(({ firstAt }) => firstAt <= at)
    return missed ? { ...judgement, verdict: 'firing' } : judgement
  })
}

/** All of them at once when the processors are gone; so it is one alert. A hub that has just started, or is just back, has its time. */
function unowned({ now, steadySince, partitions }: Situation, { leaseMs, workerMs }: JudgeSettings): Judgement {
  const starting = now - steadySince <= workerMs
  const free = [...partitions.keys()].filter((partition) => partitions[partition]!.owner === null)
  const some = free.slice(0, NAMED).join(', ') + (free.length > NAMED ? ', …' : '')
  return {
    alert: 'partition-unowned', verdict: free.length === 0 ? 'clear' : starting ? 'unchanged' : 'firing', severity: 'critical', value: free.length, limit: 0, unit: 'partitions', forMs: leaseMs, ...(free.length === 1 && { component: `partition:${free[0]!}` }),
    message: `No processor holds ${free.length} of ${partitions.length} partitions (${some}): what is published to them waits.`, cleared: 'Every partition has its processor.',
  }
}

function behind({ partitions }: Situation, { alertLag, workerMs }: JudgeSettings): Judgement {
  const worst = [...partitions.keys()].reduce((found, partition) => (partitions[partition]!.lag > partitions[found]!.lag ? partition : found), 0)
  const lag = partitions[worst]?.lag ?? 0
  return {
    ...measured('processor-lag', lag, alertLag, alertLag / 2), severity: 'warning', unit: 'entries', component: `partition:${worst}`, forMs: workerMs / 2,
    message: `The processor of partition ${worst} is ${lag} entries behind.`, cleared: `No partition is more than ${Math.floor(alertLag / 2)} entries behind.`,
  }
}

function memory({ info }: Situation, { alertMemory }: JudgeSettings): Judgement {
  const { memoryBytes, memoryLimitBytes } = info
  const share = memoryBytes === undefined || memoryLimitBytes === undefined ? 0 : Math.floor((100 * memoryBytes) / memoryLimitBytes)
  return {
    ...measured('store-memory', share, alertMemory, alertMemory - 5), severity: 'critical', unit: '%', component: 'store',
    message: `Redis uses ${share} % of its maxmemory; when it is full, nothing can be published.`, cleared: `Redis uses ${share} % of its maxmemory.`,
  }
}

function refusals({ told }: Situation, { alertRefusals }: JudgeSettings): Judgement {
  const rate = Math.round(sumOf(told, ({ record }) => record.rates.refused))
  return {
    ...measured('error-rate', rate, alertRefusals, alertRefusals / 2), severity: 'warning', unit: 'refusals/s',
    message: `${rate} requests and events a second are refused.`, cleared: `${rate} requests and events a second are refused.`,
  }
}

function slow({ told }: Situation, { alertSlow }: JudgeSettings): Judgement {
  const times = sumOf(told, ({ record }) => record.connections.slow)
  return {
    ...measured('slow-clients', times, alertSlow, alertSlow / 2), severity: 'warning', unit: 'times',
    message: `Sockets fell back to the journal ${times} times within a minute because they were slow.`, cleared: `Sockets fell back to the journal ${times} times within a minute.`,
  }
}

/** @param low at which it is over; a limit of 0 is none */
function measured(alert: AlertName, value: number, limit: number, low: number): Pick<Judgement, 'alert' | 'value' | 'limit' | 'verdict'> {
  const verdict = limit === 0 || value <= low ? 'clear' : value > limit ? 'firing' : 'unchanged'
  return { alert, value, limit, verdict }
}

function sumOf(told: readonly Told[], of: (one: Told) => number): number {
  return told.filter(({ silent }) => !silent).reduce((sum, one) => sum + of(one), 0)
}

function nounOf(role: Told['record']['role']): string {
  return role === 'all' ? 'process' : role
}
