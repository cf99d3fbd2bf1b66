/** From what the processes said of themselves and what the store says of its partitions to one `Overview`. Asks nobody; a clock is given. */
import type { ConnectionVitals, ErrorCount, Latencies, Overview, PartitionVitals, ProcessVitals, Rates, StoreVitals } from '@hubbub/protocol'
import { addBuckets, percentilesOf } from '../observe/vitals-latency.js'
import { decodeRecord, type ProcessRecord } from '../observe/vitals-record.js'
import type { PartitionStanding, StoreInfo, VitalsPage, VitalsReport } from '../store/port.js'
import { standingOf } from './alerts/book.js'

/** What is known of the hub at one moment. */
export interface Findings extends VitalsPage {
  partitions: readonly PartitionStanding[]
  info: StoreInfo
}

export interface Told {
  id: string
  record: ProcessRecord
  /** ms by the store's clock. */
  firstAt: number
  at: number
  silent: boolean
}

/**
 * Whoever said nothing for longer than `workerMs` by the store's clock is silent; so is one whose word is of so much later: the clock was
 * set back since (a failover to another machine), and those who live have spoken anew. What cannot be read is left out.
 */
export function toldOf(reports: readonly VitalsReport[], now: number, workerMs: number): Told[] {
  return reports.flatMap(({ id, json, firstAt, at }) => {
    const record = decodeRecord(json)
    return record ? [{ id, record, firstAt, at, silent: Math.abs(now - at) > workerMs }] : []
  })
}

/** @param store as it answered, or did not */
export function assemble(findings: Findings, now: number, workerMs: number, store: StoreVitals): Overview {
  const told = toldOf(findings.reports, now, workerMs)
  // A silent process may still say thousands of connections: nobody knows whether it has any.
  const speaking = told.filter(({ silent }) => !silent)
  const records = speaking.map(({ record }) => record)
  const partitions = findings.partitions.map((standing, partition) => partitionOf(partition, standing, speaking))
  return {
    at: isoOf(now),
    processes: told.map(processOf),
    partitions,
    store,
    connections: connectionsOf(records),
    rates: ratesOf(records),
    latency: latencyOf(records),
    errors: errorsOf(records),
    deadLetters: partitions.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    sinks: sinksOf(speaking),
    alerts: standingOf(findings.notes),
  }
}

/** Of the whole hub each worker says the same, a moment earlier or later. */
export function sinksOf(told: readonly Told[]): { active: number; paused: number } {
  const latest = told.filter(({ record }) => record.sinks).sort((a, b) => b.at - a.at)[0]
  return latest?.record.sinks ?? { active: 0, paused: 0 }
}

export function isoOf(ms: number): string {
  const date = new Date(ms)
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString()
}

function processOf({ id, record, at, silent }: Told): ProcessVitals {
  const { node, role, version, startedAt, status, partitions, connections, rates, cpu, memoryBytes, loopDelayMs } = record
  return {
    id, node, role, version, startedAt: isoOf(startedAt), seenAt: isoOf(at), status: silent ? 'silent' : status, partitions: silent ? [] : partitions,
    connections, rates, latency: latencyOf([record]), cpu, memoryBytes, loopDelayMs,
  }
}

/** A lease bears the name of its holder's node; that is its id, too, unless the node was given a name, which outlives the process. */
function partitionOf(partition: number, { owner, lag, deadLetters }: PartitionStanding, speaking: readonly Told[]): PartitionVitals {
  const holder = speaking.find(({ record }) => record.node === owner && record.role !== 'worker')
  return { partition, owner: holder?.id ?? owner, lag, deadLetters }
}

function connectionsOf(records: readonly ProcessRecord[]): ConnectionVitals {
  const byTransport = new Map<string, number>()
  for (const { connections } of records) for (const [name, count] of Object.entries(connections.byTransport)) byTransport.set(name, (byTransport.get(name) ?? 0) + count)
  const sum = (name: Exclude<keyof ConnectionVitals, 'byTransport'>) => records.reduce((total, { connections }) => total + connections[name], 0)
  return { open: sum('open'), active: sum('active'), byTransport: Object.fromEntries(byTransport), subscriptions: sum('subscriptions'), catchingUp: sum('catchingUp'), slow: sum('slow') }
}

function ratesOf(records: readonly ProcessRecord[]): Rates {
  const sum = (name: keyof Rates) => Math.round(records.reduce((total, { rates }) => total + rates[name], 0) * 100) / 100
  return { accepted: sum('accepted'), committed: sum('committed'), delivered: sum('delivered'), refused: sum('refused') }
}

function latencyOf(records: readonly ProcessRecord[]): Latencies {
  return { commit: percentilesOf(addBuckets(records.map(({ commit }) => commit))), delivery: percentilesOf(addBuckets(records.map(({ delivery }) => delivery))) }
}

function errorsOf(records: readonly ProcessRecord[]): ErrorCount[] {
  const all = new Map<string, { count: number; lastAt: number }>()
  for (const { errors } of records) {
    for (const [code, { count, lastAt }] of Object.entries(errors)) {
      const before = all.get(code)
      all.set(code, { count: count + (before?.count ?? 0), lastAt: Math.max(lastAt, before?.lastAt ?? 0) })
    }
  }
  return [...all].map(([code, { count, lastAt }]) => ({ code, count, lastAt: isoOf(lastAt) })).sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1))
}
