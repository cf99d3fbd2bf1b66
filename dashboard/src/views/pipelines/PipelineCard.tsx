import { memo, type ReactNode } from 'react'
import { Link } from 'wouter'
import { wayTo } from '../../parts/address'
import { Ago } from '../../parts/Ago'
import { Progress } from '../../parts/Progress'
import { Said, shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { Until } from '../../parts/Until'
import tones from '../../parts/parts.module.css'
import { said, sharesOf, stagesOf, type Pipeline } from './stages'
import css from './pipelines.module.css'

export const PipelineCard = memo(function PipelineCard({ pipeline, tabIndex }: { pipeline: Pipeline; tabIndex: 0 | -1 }): ReactNode {
  const { id, name = id, status, progress, currentStep, error } = pipeline
  return (
    <article className={css.card} data-row={`pipeline:${id}`} data-status={status}>
      <header className={css.cardHead}>
        <Link href={wayTo('pipelines', id)} tabIndex={tabIndex} className={`cut ${css.name}`} title={shown(id, 200)}>{shown(name, 200)}</Link>
        <Status status={status} />
      </header>
      <Progress value={progress} label={`Progress of ${shown(name, 80)}`} status={status} />
      <StageStrip pipeline={pipeline} />
      <p className={`cut ${css.line}`}>
        {error !== undefined && status === 'failed' ? <Said text={error} most={300} className={css.error} /> : currentStep !== undefined && <>{status === 'running' ? 'Now: ' : 'Last: '}<Said text={currentStep} most={120} /></>}
        {error === undefined && currentStep === undefined && (pipeline.totalTasks > 0 ? said(pipeline) : 'No tasks known')}
      </p>
      <p className={`cut ${css.line}`}><Times pipeline={pipeline} /></p>
    </article>
  )
})

/** When it is expected to end, ended, or began: the one that matters most. */
export function Times({ pipeline: { startedAt, finishedAt, estimatedCompletion, createdAt, status } }: { pipeline: Pipeline }): ReactNode {
  if (finishedAt !== undefined) return <>ended <Ago at={finishedAt} /></>
  if (estimatedCompletion !== undefined && status === 'running') return <>expected <Until at={estimatedCompletion} /></>
  return startedAt === undefined ? <>known since <Ago at={createdAt} /></> : <>began <Ago at={startedAt} /></>
}

/** A field a stage, all of the same length, filled by its tasks as they are. */
export function StageStrip({ pipeline }: { pipeline: Pipeline }): ReactNode {
  const stages = stagesOf(pipeline)
  if (stages.length === 0) return <p className={css.line}>No stages named.</p>
  return (
    <ol className={css.strip} aria-label="Stages">
      {stages.map(({ number, tally, tone, said: text }) => (
        <li key={number} className={tones[tone]} title={`Stage ${number}: ${text}`}>
          {sharesOf(tally).map(({ tone: of, count }) => <span key={of ?? '-'} className={of ? `${css.share} ${css.told} ${tones[of]}` : css.share} style={{ flexGrow: count }} />)}
          <span className={css.number} aria-hidden="true">{stages.length <= 20 ? number : ''}</span>
          <span className="sr-only">Stage {number}: {text}</span>
        </li>
      ))}
    </ol>
  )
}
