import { memo, type ReactNode } from 'react'
import { Ago, duration } from '../../parts/Ago'
import { Json } from '../../parts/Json'
import { Empty, Panel } from '../../parts/Page'
import { Progress } from '../../parts/Progress'
import { Said } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { Until } from '../../parts/Until'
import { StageStrip } from './PipelineCard'
import { said, type Pipeline } from './stages'
import css from './pipeline.module.css'

/** How it stands, in one look. */
export const Standing = memo(function Standing({ pipeline }: { pipeline: Pipeline }): ReactNode {
  const { status, progress, currentStep, startedAt, finishedAt, estimatedCompletion, error, managedTasks, totalTasks, steps } = pipeline
  const step = currentStep ?? steps.at(-1)?.step
  return (
    <Panel title="How it stands" actions={<Status status={status} />}>
      <Progress value={progress} label="Progress of the pipeline" status={status} />
      <StageStrip pipeline={pipeline} />
      {error !== undefined && <p role="note" className={css.error}><strong>Failed:</strong> <Said text={error} most={1000} /></p>}
      <dl className={css.facts}>
        <div><dt>{status === 'running' && currentStep !== undefined ? 'Running step' : 'Last step'}</dt><dd>{step === undefined ? '—' : <Said text={step} most={120} />}</dd></div>
        <div><dt>Tasks</dt><dd>{totalTasks === 0 ? 'none known' : said(pipeline)}</dd></div>
        <div><dt>Began</dt><dd><Ago at={startedAt} /></dd></div>
        {finishedAt === undefined
          ? <div><dt>Expected</dt><dd><Until at={estimatedCompletion} /></dd></div>
          : <div><dt>Ended</dt><dd><Ago at={finishedAt} />{startedAt !== undefined && `, after ${duration(Date.parse(finishedAt) - Date.parse(startedAt))}`}</dd></div>}
        <div><dt>Who says how far</dt><dd>{totalTasks > 0 && managedTasks === totalTasks ? 'the hub, by its tasks' : 'its engine'}</dd></div>
      </dl>
    </Panel>
  )
})

/** What its engine reported and what came of it. */
export const Outcome = memo(function Outcome({ pipeline: { steps, artifacts = [], result, metrics } }: { pipeline: Pipeline }): ReactNode {
  return (
    <Panel title="Steps, artifacts, result">
      {steps.length === 0 && artifacts.length === 0 && result === undefined && metrics === undefined && <Empty>No steps, artifacts or result reported.</Empty>}
      {result !== undefined && <section><h3>Result</h3><Json value={result} /></section>}
      {artifacts.length > 0 && <section><h3>Artifacts ({artifacts.length})</h3><Json value={artifacts} /></section>}
      {metrics !== undefined && <section><h3>Metrics</h3><Json value={metrics} /></section>}
      {steps.length > 0 && (
        <section>
          <h3>Steps ({steps.length === 100 ? 'the last 100' : steps.length})</h3>
          <div className={css.scroll} role="region" aria-label="Steps" tabIndex={0}>
            <ol className={css.steps}>
              {steps.toReversed().map(({ step, completedAt, outputs }, index) => (
                <li key={`${completedAt} ${steps.length - index}`}>
                  <Said text={step} most={200} /> <span className={css.note}><Ago at={completedAt} /></span>
                  {outputs !== undefined && <details><summary>Outputs</summary><Json value={outputs} /></details>}
                </li>
              ))}
            </ol>
          </div>
        </section>
      )}
    </Panel>
  )
})
