/**
 * What the journal tells of one task, as the panels show it: folded event by event, bounded, outside of React. Only sums and the last of
 * everything are kept, never the events.
 */
import type { Client, HubEvent } from '@hubbub/client'
import { readGithub, type GithubState } from './pulls'
import { entryOf, type Entry } from './telling'
import { Recent, Track } from './track'

/** Of all that goes under a task's topic; its runs' tokens do not belong here. */
export const PAST_TYPES = ['task.*', 'tdd.*', 'checkpoint.*', 'github.*', 'agent.*', 'agui.run_started', 'agui.run_finished', 'agui.run_error']

export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface Line {
  key: string
  /** ms since the epoch */
  at: number
  level: Level
  agentId: string | undefined
  text: string
  /** What printed it; undefined: a line of the log. */
  stream: string | undefined
}

export type Phase = 'red' | 'green' | 'refactor'

const MOST_LINES = 2000
const MOST_ENTRIES = 400
const MOST_PHASES = 400
const MOST_RUNS = 50

export class Past {
  readonly history = new Recent<Entry>(MOST_ENTRIES)
  readonly lines = new Recent<Line>(MOST_LINES)
  readonly phases = new Recent<{ at: number; phase: Phase }>(MOST_PHASES)
  readonly progress = new Track()
  readonly confidence = new Track()
  readonly tests = { passing: new Track(), failing: new Track() }
  readonly coverage = { lines: new Track(), branches: new Track(), functions: new Track() }
  /** The last run's failed tests. */
  failures: readonly { name: string; message?: string }[] = []
  github: GithubState = { pulls: new Map(), checks: new Map(), others: [] }
  /** By run id, the last state told. */
  runs: ReadonlyMap<string, string> = new Map()
  /** When the hub received the first event that was read, ms since the epoch. */
  first: number | undefined
  #count = 0

  /** Whose it is: of another hub or task another one is to be made. */
  constructor(readonly hub: Client, readonly taskId: string) {}

  readonly take = (event: HubEvent): void => {
    const at = event.metadata.recordedAt
    const data = (typeof event.data === 'object' && event.data !== null ? event.data : {}) as Record<string, unknown>
    this.first ??= at
    this.#count++
    const family = event.type.slice(0, event.type.indexOf('.'))
    if (family === 'task' || event.type === 'agent.handoff' || event.type === 'checkpoint.created') this.#task(event, at, data)
    else if (family === 'tdd') this.#tdd(event.type, at, data)
    else if (family === 'github') this.github = readGithub(this.github, event, data)
    else if (family === 'agui') this.#run(event)
    else this.#line(event, at, data)
  }

  #task(event: HubEvent, at: number, data: Record<string, unknown>): void {
    if (event.type === 'task.progress') this.progress.add(at, data['progress'])
    if (event.type === 'task.completed') this.progress.add(at, 100)
    if (event.type === 'task.progress' || event.type === 'task.confidence_updated') this.confidence.add(at, data['confidence'])
    const entry = entryOf(event, data)
    if (entry) this.history.add(entry)
  }

  #tdd(type: string, at: number, data: Record<string, unknown>): void {
    const { currentPhase } = data
    if (type === 'tdd.phase_changed' && (currentPhase === 'red' || currentPhase === 'green' || currentPhase === 'refactor')) this.phases.add({ at, phase: currentPhase })
    const counts = type === 'tdd.test_result' ? data : (data['testResults'] as Record<string, unknown> | undefined)
    this.tests.passing.add(at, counts?.['passing'])
    this.tests.failing.add(at, counts?.['failing'])
    if (type === 'tdd.test_result') this.failures = Array.isArray(data['failures']) ? (data['failures'] as { name: string; message?: string }[]) : []
    const covered = type === 'tdd.coverage_updated' ? data : (data['coverage'] as Record<string, unknown> | undefined)
    for (const name of ['lines', 'branches', 'functions'] as const) this.coverage[name].add(at, covered?.[name])
  }

  #run({ type, topics }: HubEvent): void {
    const runs = new Map(this.runs)
    for (const topic of topics) if (topic.startsWith('run:')) runs.set(topic.slice('run:'.length), { 'agui.run_started': 'running', 'agui.run_error': 'failed' }[type] ?? 'finished')
    while (runs.size > MOST_RUNS) runs.delete(runs.keys().next().value!)
    this.runs = runs
  }

  #line({ type }: HubEvent, at: number, { level, message, output, stream, agentId }: Record<string, unknown>): void {
    const text = type === 'agent.output' ? output : message
    if (typeof text !== 'string' || !['agent.log', 'agent.output', 'agent.error'].includes(type)) return
    const given = level === 'debug' || level === 'warn' || level === 'error' ? level : 'info'
    this.lines.add({
      key: String(this.#count), at, text, agentId: typeof agentId === 'string' ? agentId : undefined,
      level: type === 'agent.error' || stream === 'stderr' ? 'error' : given,
      stream: type === 'agent.output' ? (typeof stream === 'string' ? stream : 'output') : undefined,
    })
  }
}
