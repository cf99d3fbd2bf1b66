import type { ReactNode } from 'react'
import type { HubError, Overview } from '@hubbub/client'
import { useOverview } from '@hubbub/react'
import { Ago, useNow } from '../../parts/Ago'
import { Failure } from '../../parts/Failure'
import { Loading, Page, Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { useCourse } from './course'
import { DeadLetters } from './DeadLetters'
import { Errors } from './Errors'
import { Here } from './Here'
import { Partitions } from './Partitions'
import { Processes } from './Processes'
import { StoreAndSinks } from './Store'
import { Connections, Latency, Rates } from './Traffic'
import { findingsOf, type Finding } from './verdict'
import css from './health.module.css'

/** ms; an answer that is older tells of the past. */
const STALE_MS = 10_000

export default function Health(): ReactNode {
  const { value: overview, at, error, isLoading, refresh } = useOverview()
  const now = useNow()
  const isStale = at !== undefined && (now - at > STALE_MS || error !== undefined)
  return (
    <Page title="Health" summary={at !== undefined && <>{isStale && <Status status="stale" />} as of <Ago at={at} /></>} actions={<button type="button" onClick={refresh}>Ask now</button>}>
      {error && <Refused error={error} onRetry={refresh} />}
      {isLoading && <Loading what="the hub's health" />}
      {overview && <Hub overview={overview} at={at} isStale={isStale} />}
      <DeadLetters />
      <Here />
    </Page>
  )
}

function Hub({ overview, at, isStale }: { overview: Overview; at: number | undefined; isStale: boolean }): ReactNode {
  const course = useCourse(overview, at)
  const { store, knownAt } = overview
  // Without its store the process that answered knows of itself alone, and of all else what was before, if that.
  const isReached = store.pingMs !== null
  const isKnown = isReached || knownAt !== undefined
  return (
    <div className={`${css.views} ${isStale ? css.stale : ''}`}>
      <Verdict findings={findingsOf(overview)} isStale={isStale} />
      {!isReached && <p className={css.text}>{knownAt === undefined ? 'Other processes, partitions, dead letters and sinks are not known while the store is out of reach.' : <>What is said of other processes, partitions, dead letters and sinks was so <Ago at={knownAt} />.</>}</p>}
      <div className={css.pair}>
        <Rates overview={overview} course={course} />
        <Latency overview={overview} course={course} />
      </div>
      <Processes processes={overview.processes} />
      {isKnown && <Partitions partitions={overview.partitions} />}
      <div className={css.pair}>
        <Connections connections={overview.connections} />
        <StoreAndSinks store={store} sinks={isKnown ? overview.sinks : undefined} />
        <Errors errors={overview.errors} />
      </div>
    </div>
  )
}

function Verdict({ findings, isStale }: { findings: readonly Finding[]; isStale: boolean }): ReactNode {
  return (
    <section aria-label="Verdict" aria-live="polite" className={css.verdict} data-verdict={findings[0]?.tone ?? 'good'}>
      {isStale && <p className={css.text}>When the hub last answered:</p>}
      {findings.length === 0 ? <p className={css.text}><Status status="well" tone="good" /> {isStale ? 'all was well.' : 'All is well.'}</p> : (
        <ul>
          {findings.map(({ tone, text, since }) => (
            <li key={text}><Status status={tone === 'bad' ? 'critical' : 'warning'} tone={tone} /> <span><Said text={text} most={300} />{since !== undefined && <span className={css.quiet}> since <Ago at={since} /></span>}</span></li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Who may not see it is told what he would need; all else passes, and is asked again. */
function Refused({ error, onRetry }: { error: HubError; onRetry: () => void }): ReactNode {
  if (error.code !== 'INSUFFICIENT_PERMISSIONS') return <Failure error={error} onRetry={onRetry} />
  return (
    <Panel title="For operators">
      <Failure error={error} />
      <p className={css.text}>
        How the whole hub is may be seen with a token of role <code>admin</code> for every project: <code>hubbub token --role admin --projects &#39;*&#39;</code>, or ask whoever runs the hub for one. Fleet,
        pipelines, tasks and events of your own projects are yours to see without it; below is what you may see of the hub.
      </p>
    </Panel>
  )
}
