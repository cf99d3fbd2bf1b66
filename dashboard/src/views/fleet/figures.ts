/** Figures that agents report with their beats. Names are theirs: only what is known by its name has a unit here. */
import { bytes, percent, rounded } from '../../parts/figures'

type Metrics = Readonly<Record<string, unknown>> | undefined

const CPU = ['cpuUsage', 'cpuPercent']
const MEMORY = ['memoryUsage', 'memoryBytes', 'rssBytes']

/** Percent; of all cores together, so it may be over 100. */
export function cpuOf(metrics: Metrics): number | undefined {
  return first(metrics, CPU)
}

/** Bytes. */
export function memoryOf(metrics: Metrics): number | undefined {
  return first(metrics, MEMORY)
}

function first(metrics: Metrics, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = metrics && Object.hasOwn(metrics, name) ? metrics[name] : undefined
    if (typeof value === 'number' && Number.isFinite(value)) return value
  }
  return undefined
}

/** As it was reported, with a unit where its name says one. */
export function figureOf(name: string, value: number): string {
  if (CPU.includes(name) || name.endsWith('Percent')) return percent(value)
  if (MEMORY.includes(name) || name.endsWith('Bytes')) return bytes(value)
  if (name.endsWith('Ms')) return `${rounded(value)} ms`
  return rounded(value)
}
