import { memo, useMemo, type ReactNode } from 'react'
import type { HubEvent } from '@hubbub/client'
import { useEvents } from '@hubbub/react'
import { Chart, type Point, type Series } from '../../parts/Chart'
import { Failure } from '../../parts/Failure'
import { Panel } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { shown } from '../../parts/Said'
import { cpuOf, figureOf, memoryOf } from './figures'
import { SAMPLE_TYPES } from './samples'
import css from './agent.module.css'

type Metrics = Readonly<Record<string, unknown>>

const KEPT = 600
const PACE_MS = 500
const MIB = 1024 * 1024
const MOST_FIGURES = 40

/** What the agent said of its load in its last reports, and the other figures that it gives. */
export const LoadChart = memo(function LoadChart({ topic, metrics }: { topic: string; metrics: Metrics | undefined }): ReactNode {
  const view = useEvents(topic, { types: SAMPLE_TYPES, since: { last: KEPT }, limit: KEPT })
  const events = usePaced(view.events, PACE_MS)
  const cpu = useMemo(() => series(events, 'CPU', 'busy', cpuOf), [events])
  const memory = useMemo(() => series(events, 'Memory', 'mark', (said) => scaled(memoryOf(said))), [events])
  const others = useMemo(() => otherFigures(events, metrics), [events, metrics])
  const isEmpty = cpu[0]!.points.length === 0 && memory[0]!.points.length === 0
  const isReading = view.status === 'connecting' || view.status === 'catching-up'
  return (
    <Panel title="Load">
      {view.error && <Failure error={view.error} />}
      {isEmpty && others.length === 0 && <p className={css.quiet}>{isReading ? 'Reading its beats…' : 'It gives no figures with its beats.'}</p>}
      <div className={css.pair}>
        <Chart label="CPU" series={cpu} unit=" %" isArea {...(highest(cpu) <= 100 && { most: 100 })} />
        <Chart label="Memory" series={memory} unit=" MiB" isArea />
      </div>
      {others.length > 0 && (
        <dl className={css.figures} aria-label="Other figures">
          {others.slice(0, MOST_FIGURES).map(([name, text]) => <div key={name}><dt><bdi>{shown(name, 60)}</bdi></dt><dd>{text}</dd></div>)}
        </dl>
      )}
    </Panel>
  )
})

function series(events: readonly HubEvent[], name: string, tone: Series['tone'], of: (metrics: Metrics | undefined) => number | undefined): Series[] {
  const points = events.flatMap((event): Point[] => {
    const value = of(metricsOf(event))
    return value === undefined ? [] : [{ at: event.metadata.recordedAt, value }]
  })
  return [{ name, tone, points }]
}

function metricsOf({ type, data }: HubEvent): Metrics | undefined {
  const { systemMetrics, metrics } = data as { systemMetrics?: Metrics; metrics?: Metrics }
  return type === 'agent.heartbeat' ? systemMetrics : metrics
}

/** The last of each name: as the entity has it, and what came as figures of its own since. */
function otherFigures(events: readonly HubEvent[], metrics: Metrics | undefined): [string, string][] {
  const last = new Map<string, string>()
  const take = (said: Metrics | undefined): void => {
    for (const [name, value] of Object.entries(said ?? {})) if (typeof value === 'number' && isOther(name)) last.set(name, figureOf(name, value))
  }
  for (const event of events) if (event.type === 'agent.metric') take(metricsOf(event))
  take(metrics)
  return [...last].toSorted(([a], [b]) => a.localeCompare(b))
}

function isOther(name: string): boolean {
  return cpuOf({ [name]: 1 }) === undefined && memoryOf({ [name]: 1 }) === undefined
}

function highest(all: readonly Series[]): number {
  return all.reduce((most, { points }) => points.reduce((max, { value }) => Math.max(max, value), most), 0)
}

function scaled(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / MIB
}
