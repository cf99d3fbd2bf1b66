import { useMemo, type ReactNode } from 'react'
import { useEntities } from '@hubbub/react'
import { useChoices } from '../../parts/address'
import { Choice } from '../../parts/Choice'
import { Failure } from '../../parts/Failure'
import { KeptSearch } from '../../parts/KeptSearch'
import { Empty, Loading, Page } from '../../parts/Page'
import { VirtualGrid } from '../../parts/VirtualGrid'
import { PipelineCard } from './PipelineCard'
import type { Pipeline } from './stages'
import { Streams } from './Streams'
import css from './pipelines.module.css'

const STATUSES = ['running', 'failed', 'completed', 'pending'] as const

type Wanted = (typeof STATUSES)[number] | 'all'

export default function Pipelines(): ReactNode {
  const { entities, isLoading, error } = useEntities('pipeline:*', 'pipeline')
  const [choices, choose] = useChoices()
  const status = STATUSES.find((one) => one === choices.get('status')) ?? 'all'
  const search = (choices.get('q') ?? '').toLowerCase()
  const counts = useMemo(() => countsOf(entities), [entities])
  const found = useMemo(() => entities.filter((one) => (status === 'all' || one.status === status) && matches(one, search)).toSorted(byUrgency), [entities, status, search])
  const options = [{ value: 'all' as Wanted, label: 'All', count: entities.length }, ...STATUSES.map((value) => ({ value: value as Wanted, label: value, count: counts[value] ?? 0 }))]
  return (
    <Page title="Pipelines" summary={isLoading || error ? undefined : `${found.length} of ${entities.length}`}>
      <div className={css.filters}>
        <Choice label="Status" value={status} options={options} onChange={(value) => choose({ status: value === 'all' ? undefined : value })} />
        <KeptSearch label="Search pipelines and streams" name="q" placeholder="Name, id, step" />
      </div>
      {error ? <Failure error={error} /> : isLoading ? <Loading what="the pipelines" /> : null}
      {!error && !isLoading && found.length === 0 && <Nothing isFiltered={entities.length > 0} onClear={() => choose({ status: undefined, q: undefined })} />}
      {found.length > 0 && <VirtualGrid label="Pipelines" items={found} keyOf={({ id }) => id} minWidth={330} rowHeight={150}>{(pipeline, tabIndex) => <PipelineCard pipeline={pipeline} tabIndex={tabIndex} />}</VirtualGrid>}
      <Streams search={search} />
    </Page>
  )
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }): ReactNode {
  if (isFiltered) return <Empty>No pipeline matches. <button type="button" onClick={onClear}>Show all</button></Empty>
  return <Empty>No pipelines: <code>pipeline.started</code>, or a task with a <code>pipelineId</code>, makes one.</Empty>
}

function matches({ id, name = '', currentStep = '' }: Pipeline, search: string): boolean {
  return search === '' || `${id}\n${name}\n${currentStep}`.toLowerCase().includes(search)
}

function countsOf(pipelines: readonly Pipeline[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { status } of pipelines) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const RANKS: Readonly<Record<Pipeline['status'], number>> = { running: 0, pending: 1, failed: 2, completed: 3 }

/** What runs first, then what ended last. A progress moves nothing: cards must not jump. */
function byUrgency(a: Pipeline, b: Pipeline): number {
  return RANKS[a.status] - RANKS[b.status] || Date.parse(b.finishedAt ?? b.createdAt) - Date.parse(a.finishedAt ?? a.createdAt)
}
