import { memo, useMemo, useState, type ReactNode } from 'react'
import { Ago, duration } from '../../parts/Ago'
import { Empty, Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { To } from '../../parts/To'
import { Until } from '../../parts/Until'
import tones from '../../parts/parts.module.css'
import type { Task } from './choice'
import type { Entry } from './telling'
import css from './task.module.css'

const FIRST = 60

interface Told {
  task: Task | undefined
  entries: readonly Entry[]
  dropped: number
}

/** Who had the task, from when to when, and why it ended: the newest last, as it happened. */
export const History = memo(function History({ task, entries, dropped }: Told): ReactNode {
  const [isWhole, setWhole] = useState(false)
  const all = useMemo(() => [...forgottenTries(task, entries), ...entries], [task, entries])
  const shown = isWhole ? all : all.slice(-FIRST)
  return (
    <Panel title="Delegation history" actions={<span className={css.note}>{task ? `${task.attempt} ${task.attempt === 1 ? 'delegation' : 'delegations'}, ${task.tries.length} lost` : ''}</span>}>
      {all.length === 0 && <Empty>Nothing of its past is in the journal.</Empty>}
      {dropped > 0 && <p className={css.note}>{dropped} older entries are not shown.</p>}
      {shown.length < all.length && <p><button type="button" onClick={() => setWhole(true)}>{all.length - shown.length} earlier</button></p>}
      {shown.length > 0 && (
        // Scrolled by keys, too: what it holds need not have a link.
        <div className={css.scroll} role="region" aria-label="History" tabIndex={0}>
          <ol className={css.history}>{shown.map((entry, index) => <Item key={entry.key} entry={entry} before={shown[index - 1]} isLast={index === shown.length - 1} />)}</ol>
        </div>
      )}
    </Panel>
  )
})

function Item({ entry: { at, tone, what, agentId, detail, attempt, due }, before, isLast }: { entry: Entry; before: Entry | undefined; isLast: boolean }): ReactNode {
  const lasted = at !== undefined && before?.at !== undefined && at - before.at >= 1000 ? `after ${duration(at - before.at)}` : undefined
  return (
    <li className={tones[tone]}>
      <span className={css.when}>{at === undefined ? '—' : new Date(at).toLocaleTimeString()}</span>
      <span>
        {attempt !== undefined && <span className={css.attempt}>#{attempt}</span>} {what} {agentId !== undefined && <To kind="agent" id={agentId} />}
        {lasted && <span className={css.note}> {lasted}</span>}
        {detail !== undefined && <Said text={detail} most={600} className={`said ${css.detail}`} />}
        {isLast && due && <span className={css.note}> {due.what} <Until at={due.at} /></span>}
      </span>
    </li>
  )
}

/** The task itself remembers its lost tries, also those that the journal no longer tells of. */
function forgottenTries(task: Task | undefined, entries: readonly Entry[]): Entry[] {
  const told = new Set(entries.filter(({ what }) => what === 'lost by').map(({ attempt }) => attempt))
  return (task?.tries ?? [])
    .filter(({ attempt }) => !told.has(attempt))
    .map(({ attempt, agentId, reason, endedAt }) => ({ key: `try ${attempt}`, at: Date.parse(endedAt), tone: 'bad', what: 'lost by', agentId, attempt, detail: reason }))
}

export function Lasting({ task: { startedAt, finishedAt, createdAt } }: { task: Task }): ReactNode {
  if (startedAt !== undefined && finishedAt !== undefined) return <>{duration(Date.parse(finishedAt) - Date.parse(startedAt))} from begin to end</>
  if (finishedAt !== undefined) return <>ended <Ago at={finishedAt} /></>
  return startedAt === undefined ? <>waits; came <Ago at={createdAt} /></> : <>began <Ago at={startedAt} /></>
}
