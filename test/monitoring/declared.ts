/** What a hub says that it exports: each series with its labels, histograms by their three. */
import { createMetrics } from '../../server/src/observe/metrics.js'

/** Prometheus adds them when it scrapes. */
const OF_TARGETS = ['job', 'instance', 'namespace', 'pod']
/** Prometheus' own series of a scrape. */
const OF_SCRAPES: readonly [string, readonly string[]][] = [['up', OF_TARGETS], ['ALERTS', ['alertname', 'alertstate', 'severity']]]

export interface Declared {
  name: string
  help: string
  type: string
  labelNames: readonly string[]
}

export function declaredMetrics(): Declared[] {
  const { registry } = createMetrics({ processMetrics: true })
  const declared = registry.getMetricsAsArray() as unknown as Declared[]
  return declared.map(({ name, help, type, labelNames }) => ({ name, help, type, labelNames: [...labelNames] }))
}

/** Labels by series. */
export function declaredSeries(): Map<string, ReadonlySet<string>> {
  const series = new Map<string, ReadonlySet<string>>(OF_SCRAPES.map(([name, labels]) => [name, new Set(labels)]))
  for (const { name, type, labelNames } of declaredMetrics()) {
    const labels = new Set([...labelNames, ...OF_TARGETS])
    if (type === 'histogram') {
      series.set(`${name}_bucket`, new Set([...labels, 'le']))
      series.set(`${name}_sum`, labels)
      series.set(`${name}_count`, labels)
    } else series.set(name, labels)
  }
  return series
}
