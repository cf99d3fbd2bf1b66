/**
 * What a process says of itself to the others, as it stands in the store: small, and read with care, for another version may have written
 * it. Latencies are counts by bucket, so that those of several processes can be added; percentiles cannot.
 */
import { isFailureCode, type ConnectionVitals, type ProcessVitals, type Rates } from '@hubbub/protocol'
import { LATENCY } from './metrics.js'

export interface ProcessRecord extends Pick<ProcessVitals, 'node' | 'role' | 'version' | 'partitions' | 'cpu' | 'memoryBytes' | 'loopDelayMs'> {
  status: 'up' | 'draining'
  /** ms, by the clock of its machine. */
  startedAt: number
  connections: ConnectionVitals
  rates: Rates
  /** Observations of the last minute by bucket: of `LATENCY`, and one for all beyond. */
  commit: number[]
  delivery: number[]
  /** Refusals of the last hour by code; `lastAt` in ms. */
  errors: Record<string, { count: number; lastAt: number }>
  /** Of the whole hub, as this worker saw them last. */
  sinks?: { active: number; paused: number }
}

const ROLES = ['all', 'worker', 'processor'] as const
/** Transports that are read of one record: there are four. */
const MOST_TRANSPORTS = 16

export function encodeRecord(record: ProcessRecord): string {
  return JSON.stringify({ ...record, partitions: rangesOf(record.partitions) })
}

/** Undefined for what is no record. What is missing counts as nothing. */
export function decodeRecord(json: string): ProcessRecord | undefined {
  let read: unknown
  try {
    read = JSON.parse(json)
  } catch {
    return undefined
  }
  if (!isBag(read)) return undefined
  const { node, version, status } = read
  const role = ROLES.find((known) => known === read['role'])
  if (typeof node !== 'string' || role === undefined) return undefined
  return {
    node, role, version: typeof version === 'string' ? version : '', status: status === 'draining' ? 'draining' : 'up', startedAt: numberOf(read['startedAt']), partitions: partitionsOf(read['partitions']),
    connections: connectionsOf(bagOf(read['connections'])), rates: ratesOf(bagOf(read['rates'])), commit: bucketsOf(read['commit']), delivery: bucketsOf(read['delivery']),
    cpu: numberOf(read['cpu']), memoryBytes: numberOf(read['memoryBytes']), loopDelayMs: numberOf(read['loopDelayMs']), errors: errorsOf(bagOf(read['errors'])),
    ...(isBag(read['sinks']) && { sinks: { active: numberOf(read['sinks']['active']), paused: numberOf(read['sinks']['paused']) } }),
  }
}

export function noBuckets(): number[] {
  return Array.from({ length: LATENCY.length + 1 }, () => 0)
}

/** `0-3,7`: a processor may own a thousand. */
function rangesOf(partitions: readonly number[]): string {
  const ranges: [from: number, to: number][] = []
  for (const partition of partitions) {
    const last = ranges.at(-1)
    if (last && partition === last[1] + 1) last[1] = partition
    else ranges.push([partition, partition])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',')
}

function partitionsOf(value: unknown): number[] {
  if (typeof value !== 'string' || !/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(value)) return []
  const partitions = value.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at)
  })
  return [...new Set(partitions)].sort((a, b) => a - b)
}

function connectionsOf(read: Record<string, unknown>): ConnectionVitals {
  const transports = Object.entries(bagOf(read['byTransport'])).slice(0, MOST_TRANSPORTS)
  return {
    open: numberOf(read['open']), active: numberOf(read['active']), byTransport: Object.fromEntries(transports.map(([name, count]) => [name.slice(0, 32), numberOf(count)])),
    subscriptions: numberOf(read['subscriptions']), catchingUp: numberOf(read['catchingUp']), slow: numberOf(read['slow']),
  }
}

function ratesOf(read: Record<string, unknown>): Rates {
  return { accepted: numberOf(read['accepted']), committed: numberOf(read['committed']), delivered: numberOf(read['delivered']), refused: numberOf(read['refused']) }
}

/** Buckets with other bounds cannot be added: they count as nothing. */
function bucketsOf(value: unknown): number[] {
  return Array.isArray(value) && value.length === LATENCY.length + 1 ? value.map(numberOf) : noBuckets()
}

function errorsOf(read: Record<string, unknown>): ProcessRecord['errors'] {
  const known = Object.entries(read).filter(([code, found]) => isFailureCode(code) && isBag(found))
  return Object.fromEntries(known.map(([code, found]) => [code, { count: numberOf(bagOf(found)['count']), lastAt: numberOf(bagOf(found)['lastAt']) }]))
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

function bagOf(value: unknown): Record<string, unknown> {
  return isBag(value) ? value : {}
}

function isBag(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
