import { useMemo, type ReactNode } from 'react'
import type { Entities } from '@hubbub/client'
import { useEntities } from '@hubbub/react'
import { Ago, duration, useNow } from '../../parts/Ago'
import { useChoices } from '../../parts/address'
import { Choice } from '../../parts/Choice'
import { Failure } from '../../parts/Failure'
import { count, counted } from '../../parts/figures'
import { KeptSearch } from '../../parts/KeptSearch'
import { Empty, Loading, Page } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { Said } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { Table, type Column, type Sort } from '../../parts/Table'
import { To } from '../../parts/To'
import css from './runs.module.css'

type RunEntity = Entities['run']
type Shown = 'all' | RunEntity['status']

const STATUSES = ['running', 'failed', 'finished'] as const

const time = (iso: string): number => Date.parse(iso)
const by = (read: (run: RunEntity) => string | number) => (a: RunEntity, b: RunEntity): number => {
  const [one, other] = [read(a), read(b)]
  return one < other ? -1 : one > other ? 1 : 0
}

const COLUMNS: readonly Column<RunEntity>[] = [
  { name: 'run', title: 'Run', width: 'minmax(7rem, 2fr)', isNarrow: true, cell: ({ id }) => <To kind="run" id={id} className="cut" />, order: by(({ id }) => id) },
  { name: 'status', title: 'Status', width: '6.5rem', isNarrow: true, cell: ({ status, error }) => <Status status={status} title={error} />, order: by(({ status }) => status) },
  { name: 'step', title: 'Step', width: 'minmax(4.5rem, 1fr)', cell: ({ currentStep }) => (currentStep === undefined ? '—' : <Said text={currentStep} className="cut" most={120} />) },
  { name: 'agent', title: 'Agent', width: 'minmax(4.5rem, 1fr)', cell: ({ agentId }) => (agentId === undefined ? '—' : <To kind="agent" id={agentId} className="cut" />), order: by(({ agentId }) => agentId ?? '') },
  { name: 'task', title: 'Task', width: 'minmax(4.5rem, 1fr)', cell: ({ taskId }) => (taskId === undefined ? '—' : <To kind="task" id={taskId} className="cut" />), order: by(({ taskId }) => taskId ?? '') },
  { name: 'thread', title: 'Thread', width: 'minmax(4.5rem, 1fr)', cell: ({ threadId }) => (threadId === undefined ? '—' : <Said text={threadId} className="cut" most={120} />), order: by(({ threadId }) => threadId ?? '') },
  { name: 'messages', title: 'Messages', width: '5.5rem', isNumber: true, cell: ({ messages }) => count(messages), order: by(({ messages }) => messages) },
  { name: 'calls', title: 'Tool calls', width: '5.5rem', isNumber: true, cell: ({ toolCalls }) => count(toolCalls), order: by(({ toolCalls }) => toolCalls) },
  { name: 'began', title: 'Began', width: '6rem', cell: ({ createdAt }) => <Ago at={createdAt} />, order: by(({ createdAt }) => time(createdAt)) },
  { name: 'took', title: 'Time', width: '6rem', isNarrow: true, isNumber: true, cell: (run) => <Took run={run} />, order: by(({ createdAt, finishedAt }) => (finishedAt === undefined ? Date.now() : time(finishedAt)) - time(createdAt)) },
]

const NEWEST: Sort = { by: 'began', isDown: true }
/** Tokens change an entity many times a second. */
const PACE_MS = 250

export default function Runs(): ReactNode {
  const { entities, isLoading, error } = useEntities('run:*', 'run')
  const runs = usePaced(entities, PACE_MS)
  const [choices, choose] = useChoices()
  const status: Shown = STATUSES.find((one) => one === choices.get('status')) ?? 'all'
  const words = (choices.get('q') ?? '').toLowerCase()
  const sort = sortOf(choices.get('sort'))
  const found = useMemo(() => runs.filter((run) => hasWords(run, words)), [runs, words])
  const shown = useMemo(() => (status === 'all' ? found : found.filter((run) => run.status === status)), [found, status])
  const options = useMemo(
    () => [{ value: 'all' as const, label: 'All', count: found.length }, ...STATUSES.map((one) => ({ value: one, label: one, count: found.filter((run) => run.status === one).length }))],
    [found],
  )
  return (
    <Page title="Runs" summary={!isLoading && !error && counted(runs.length, 'run')}>
      {error && <Failure error={error} />}
      {isLoading && <Loading what="the runs" />}
      {!isLoading && !error && runs.length === 0 && <Empty>No run yet. An agent that publishes AG-UI events (<code>agui.run_started</code> first) appears here.</Empty>}
      {runs.length > 0 && (
        <>
          <div className={css.filters}>
            <Choice label="Status" value={status} options={options} onChange={(value) => choose({ status: value === 'all' ? '' : value })} />
            <KeptSearch label="Search runs" name="q" placeholder="Run, agent, task, thread, step" />
          </div>
          {shown.length === 0 ? <Empty>No run is like that.</Empty> : (
            <Table label="Runs" rows={shown} columns={COLUMNS} keyOf={({ id }) => id} sort={sort} onSort={({ by: name, isDown }) => choose({ sort: `${isDown ? '-' : ''}${name}` })} markOf={(run) => ({ row: `run:${run.id}`, status: run.status })} />
          )}
        </>
      )}
    </Page>
  )
}

function hasWords({ id, agentId, taskId, threadId, currentStep, error }: RunEntity, words: string): boolean {
  return words === '' || [id, agentId, taskId, threadId, currentStep, error].some((text) => text?.toLowerCase().includes(words))
}

function sortOf(choice: string | null): Sort {
  if (!choice) return NEWEST
  return { by: choice.replace(/^-/, ''), isDown: choice.startsWith('-') }
}

function Took({ run: { createdAt, finishedAt } }: { run: RunEntity }): ReactNode {
  return finishedAt === undefined ? <Running since={time(createdAt)} /> : duration(time(finishedAt) - time(createdAt))
}

/** Only what runs looks at the clock. */
function Running({ since }: { since: number }): ReactNode {
  return duration(useNow() - since)
}
