import { memo, useMemo, type ReactNode } from 'react'
import { Chart, type Point, type Series } from '../../parts/Chart'
import { Empty, Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { Status, type Tone } from '../../parts/Status'
import tones from '../../parts/parts.module.css'
import type { Past, Phase } from './past'
import css from './task.module.css'

type Points = readonly Point[]

/** How far, and how sure of it. */
export const Course = memo(function Course({ progress, confidence }: { progress: Points; confidence: Points }): ReactNode {
  const sure = useMemo(() => confidence.map(({ at, value }) => ({ at, value: value * 100 })), [confidence])
  const series = useMemo(() => seriesOf(['progress', 'busy', progress], ['confidence', 'mark', sure]), [progress, sure])
  return (
    <Panel title="Progress and confidence">
      {progress.length + sure.length === 0 ? <Empty>Nobody reported progress or confidence.</Empty> : <Chart label="Progress and confidence" unit=" %" most={100} isArea series={series} />}
    </Panel>
  )
})

interface Tested {
  phases: Past['phases']['items']
  passing: Points
  failing: Points
  lines: Points
  branches: Points
  functions: Points
  failures: Past['failures']
}

/** Test-driven work: where in the cycle it is, and what the tests say. */
export const Tdd = memo(function Tdd({ phases, passing, failing, lines, branches, functions, failures }: Tested): ReactNode {
  const tests = useMemo(() => seriesOf(['passing', 'good', passing], ['failing', 'bad', failing]), [passing, failing])
  const coverage = useMemo(() => seriesOf(['lines', 'busy', lines], ['branches', 'mark', branches], ['functions', 'good', functions]), [lines, branches, functions])
  const isNothing = phases.length + passing.length + failing.length + lines.length + branches.length + functions.length === 0
  if (isNothing) return null
  return (
    <Panel title="Test-driven work">
      {phases.length > 0 && <Cycle phases={phases} />}
      {passing.length + failing.length > 0 && <Chart label="Tests" unit="" isArea series={tests} />}
      {failures.length > 0 && <Failures failures={failures} />}
      {lines.length + branches.length + functions.length > 0 && <Chart label="Coverage" unit=" %" most={100} series={coverage} />}
    </Panel>
  )
})

const PHASES: readonly Phase[] = ['red', 'green', 'refactor']
const TONES: Readonly<Record<Phase, Tone>> = { red: 'bad', green: 'good', refactor: 'mark' }
const STRIP = 60

function Cycle({ phases }: { phases: Tested['phases'] }): ReactNode {
  const now = phases.at(-1)!
  // A new cycle begins with each red.
  const cycles = phases.filter(({ phase }, index) => phase === 'red' || index === 0).length
  const last = phases.slice(-STRIP)
  return (
    <div className={css.cycle}>
      <ol className={css.ring} aria-label="Phases of test-driven work">
        {PHASES.map((phase) => (
          <li key={phase} className={tones[TONES[phase]]} aria-current={phase === now.phase ? 'step' : undefined}>{phase}</li>
        ))}
      </ol>
      <div className={css.phases}>
        <span>Now <Status status={now.phase} />, since {new Date(now.at).toLocaleTimeString()}; {cycles} {cycles === 1 ? 'cycle' : 'cycles'}</span>
        <ol className={css.strip} aria-label="Phases so far">
          {last.map(({ phase, at }, index) => <li key={`${at} ${index}`} className={tones[TONES[phase]]} title={`${phase}, ${new Date(at).toLocaleTimeString()}`}><span className="sr-only">{phase}</span></li>)}
        </ol>
      </div>
    </div>
  )
}

const FAILURES = 20

function Failures({ failures }: { failures: Past['failures'] }): ReactNode {
  return (
    <details>
      <summary>{failures.length} failed in the last run</summary>
      <ul className={css.failures}>
        {failures.slice(0, FAILURES).map(({ name, message }, index) => <li key={index}><Said text={name} most={200} />{message !== undefined && <Said text={message} most={400} className={`said ${css.detail}`} />}</li>)}
      </ul>
      {failures.length > FAILURES && <p className={css.note}>{failures.length - FAILURES} more</p>}
    </details>
  )
}

function seriesOf(...all: readonly [string, Tone, Points][]): Series[] {
  return all.map(([name, tone, points]) => ({ name, tone, points }))
}
