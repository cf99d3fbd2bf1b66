import type { ReactNode } from 'react'
import type { Entities } from '@hubbub/client'
import { useEvents } from '@hubbub/react'
import { Ago, duration, useNow } from '../../parts/Ago'
import { count } from '../../parts/figures'
import { Json } from '../../parts/Json'
import { Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { To } from '../../parts/To'
import type { AguiOf } from './agui'
import type { RunHead, RunStory } from './story'
import type { RunState } from './state'
import css from './runs.module.css'

type RunEntity = Entities['run']

/** What is known of the run besides what was said: whose it is, its state, its interrupts, the runs around it. */
export function Side({ id, story, entity }: { id: string; story: RunStory; entity: RunEntity | undefined }): ReactNode {
  const { head, state } = story
  return (
    <aside className={css.side} aria-label="About the run">
      <Facts head={head} entity={entity} events={story.events} />
      {head.interrupts && <Interrupts interrupts={head.interrupts} />}
      {head.result !== undefined && <Panel title="Result"><Json value={head.result} label="Result of the run" /></Panel>}
      <State state={state} />
      <Around id={id} threadId={head.threadId ?? entity?.threadId} parentRunId={head.parentRunId ?? entity?.parentRunId} />
    </aside>
  )
}

function Facts({ head, entity, events }: { head: RunHead; entity: RunEntity | undefined; events: number }): ReactNode {
  const now = useNow()
  const startedAt = head.startedAt ?? (entity && Date.parse(entity.createdAt))
  const endedAt = head.endedAt ?? (entity?.finishedAt === undefined ? undefined : Date.parse(entity.finishedAt))
  const thread = head.threadId ?? entity?.threadId
  // Of a run that nobody tells of any more nobody knows whether it still lasts.
  const until = endedAt ?? (head.status === 'unknown' && entity === undefined ? undefined : now)
  return (
    <Panel title="Run">
      <dl className={css.facts}>
        <dt>Agent</dt><dd>{entity?.agentId === undefined ? '—' : <To kind="agent" id={entity.agentId} />}</dd>
        <dt>Task</dt><dd>{entity?.taskId === undefined ? '—' : <To kind="task" id={entity.taskId} />}</dd>
        <dt>Thread</dt><dd>{thread === undefined ? '—' : <Said text={thread} most={200} />}</dd>
        <dt>Began</dt><dd><Ago at={startedAt} /></dd>
        <dt>{endedAt === undefined ? 'Runs for' : 'Took'}</dt><dd>{startedAt === undefined || until === undefined ? '—' : duration(until - startedAt)}</dd>
        <dt>Step</dt><dd>{entity?.currentStep === undefined ? '—' : <Said text={entity.currentStep} most={200} />}</dd>
        <dt>Messages</dt><dd>{count(entity?.messages)}</dd>
        <dt>Tool calls</dt><dd>{count(entity?.toolCalls)}</dd>
        <dt>Events read</dt><dd>{count(events)}</dd>
        {head.usage?.map((usage, index) => <div key={index} className={css.pair}><dt>Tokens</dt><dd>{count(usage.inputTokens)} in, {count(usage.outputTokens)} out{usage.model !== undefined && <>, <Said text={usage.model} most={80} /></>}</dd></div>)}
        {head.pending && head.pending.length > 0 && <><dt>Waits for</dt><dd>{count(head.pending.length)} tool calls</dd></>}
      </dl>
    </Panel>
  )
}

function Interrupts({ interrupts }: { interrupts: NonNullable<RunHead['interrupts']> }): ReactNode {
  return (
    <Panel title="Interrupted">
      {interrupts.map(({ id, reason, message, toolCallId, expiresAt }) => (
        <div key={id}>
          <strong><Said text={reason} most={200} /></strong>{message !== undefined && <p className={css.plain}><Said text={message} /></p>}
          <p className={css.aside}>{toolCallId !== undefined && <>for call <code><Said text={toolCallId} most={80} /></code> </>}{expiresAt !== undefined && <>until <Said text={expiresAt} most={40} /></>}</p>
        </div>
      ))}
    </Panel>
  )
}

function State({ state: { value, isTold, failed, why, isStale, changedAt } }: { state: RunState }): ReactNode {
  const isUnknown = !isTold || (isStale && changedAt === undefined)
  return (
    <Panel title="State" actions={changedAt !== undefined && <span className={css.aside}>changed <Ago at={changedAt} /></span>}>
      {isStale && isTold && <p className={css.missing} role="note"><Status status="stale" /> Events are missing since it was told whole{failed > 0 && `; ${count(failed)} changes lie on what is not known, and are left out`}.</p>}
      {!isStale && failed > 0 && <p className={css.missing} role="note"><Status status="may be wrong" tone="warn" /> {count(failed)} {failed === 1 ? 'change' : 'changes'} could not be applied: <Said text={why ?? ''} most={300} />. It stays as it was until it is told whole again.</p>}
      {isUnknown ? <p className={css.aside}>{isTold ? 'It is not known.' : 'The run told nothing of one.'}</p> : <Json value={value} label="State of the run" />}
    </Panel>
  )
}

const MOST_RUNS = 100

/** Runs of the same thread, those that it began among them. */
function Around({ id, threadId, parentRunId }: { id: string; threadId: string | undefined; parentRunId: string | undefined }): ReactNode {
  const { events } = useEvents<AguiOf<'RUN_STARTED'>>(threadId === undefined ? undefined : `thread:${threadId}`, { types: ['agui.run_started'], since: 'all', limit: MOST_RUNS })
  const runs = new Map(events.map(({ data }) => [data.runId, data.parentRunId]))
  runs.delete(id)
  if (parentRunId !== undefined) runs.delete(parentRunId)
  const own = [...runs].filter(([, parent]) => parent === id)
  const others = [...runs].filter(([, parent]) => parent !== id)
  if (parentRunId === undefined && runs.size === 0) return null
  return (
    <Panel title="Other runs">
      {parentRunId !== undefined && <p className={css.plain}>Begun by <To kind="run" id={parentRunId} /></p>}
      {own.length > 0 && <RunList label="Began" runs={own} />}
      {others.length > 0 && <RunList label="Of the same thread" runs={others} />}
    </Panel>
  )
}

function RunList({ label, runs }: { label: string; runs: readonly (readonly [string, string | undefined])[] }): ReactNode {
  return <div><span className={css.aside}>{label}</span><ul className={css.runs}>{runs.map(([runId]) => <li key={runId}><To kind="run" id={runId} /></li>)}</ul></div>
}
