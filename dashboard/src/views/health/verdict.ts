/** What is wrong with a hub, in sentences, the worst first. Pure. */
import type { Overview } from '@hubbub/client'
import { bytes, count, counted } from '../../parts/figures'
import type { Tone } from '../../parts/Status'

type Alert = NonNullable<Overview['alerts']>[number]

export interface Finding {
  tone: Extract<Tone, 'bad' | 'warn'>
  text: string
  /** ISO 8601, where the hub says it. */
  since?: string
}

/** Source entries; what a processor is behind in ordinary bursts is less. */
export const LAG = { some: 100, much: 1000 } as const
/** Of the store's limit. */
const NEAR_FULL = 0.9
const LOOP_MS = 250

/** The hub's standing alerts first; then what the figures say besides. Of what is not known nothing is found. */
export function findingsOf(overview: Overview): Finding[] {
  const { alerts = [] } = overview
  const told = alerts.map(({ severity, message, since }): Finding => ({ tone: severity === 'critical' ? 'bad' : 'warn', text: message, since }))
  const names = new Set(alerts.map(({ alert }) => alert))
  const seen = seenIn(overview).filter(([alert]) => alert === undefined || !names.has(alert)).map(([, finding]) => finding)
  return [...told, ...seen].toSorted((a, b) => a.tone.localeCompare(b.tone))
}

/** With the alert that says the same, if there is one. */
function seenIn({ processes, partitions, store, deadLetters, sinks, connections }: Overview): [Alert['alert'] | undefined, Finding][] {
  const findings: [Alert['alert'] | undefined, Finding][] = []
  const bad = (alert: Alert['alert'] | undefined, text: string): void => void findings.push([alert, { tone: 'bad', text }])
  const warn = (alert: Alert['alert'] | undefined, text: string): void => void findings.push([alert, { tone: 'warn', text }])
  if (store.pingMs === null) bad('store-unreachable', 'The store is out of reach: nothing can be committed.')
  const unowned = partitions.filter(({ owner }) => owner === null).map(({ partition }) => partition)
  if (unowned.length > 0) bad('partition-unowned', `${counted(unowned.length, 'partition')} without a processor: ${some(unowned)}.`)
  const silent = processes.filter(({ status }) => status === 'silent').map(({ id }) => id)
  if (silent.length > 0) bad('process-lost', `${counted(silent.length, 'process', 'processes')} silent: ${some(silent)}.`)
  const lag = partitions.reduce((sum, one) => sum + one.lag, 0)
  if (lag >= LAG.some) warn('processor-lag', `${count(lag)} entries wait to be committed.`)
  const { memoryBytes, memoryLimitBytes } = store
  if (memoryBytes !== undefined && memoryLimitBytes && memoryBytes / memoryLimitBytes >= NEAR_FULL) warn('store-memory', `The store has ${bytes(memoryBytes)} of the ${bytes(memoryLimitBytes)} that it may.`)
  if (deadLetters > 0) warn('dead-letters', `${counted(deadLetters, 'dead letter')}.`)
  if (sinks.paused > 0) warn(undefined, `${counted(sinks.paused, 'sink')} paused.`)
  if (connections.slow > 0) warn('slow-clients', `${counted(connections.slow, 'connection')} too slow in the last minute.`)
  const busy = processes.filter(({ loopDelayMs, status }) => status !== 'silent' && loopDelayMs >= LOOP_MS)
  if (busy.length > 0) warn(undefined, `${counted(busy.length, 'process', 'processes')} busy: the event loop is late by ${LOOP_MS} ms and more.`)
  return findings
}

const NAMED = 6

function some(names: readonly (string | number)[]): string {
  return `${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ', …' : ''}`
}
