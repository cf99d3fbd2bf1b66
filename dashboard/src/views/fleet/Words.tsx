import { memo, useMemo, useState, type ReactNode } from 'react'
import type { HubEvent } from '@hubbub/client'
import { useEvents } from '@hubbub/react'
import { Choice } from '../../parts/Choice'
import { Failure } from '../../parts/Failure'
import { Panel } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { Said } from '../../parts/Said'
import { To } from '../../parts/To'
import { VirtualList } from '../../parts/VirtualList'
import css from './agent.module.css'

interface Word {
  level?: string
  message?: string
  output?: string
  stream?: string
  code?: string
  taskId?: string
}

type Level = 'debug' | 'info' | 'warn' | 'error'

const TYPES = ['agent.log', 'agent.output', 'agent.error']
const KEPT = 1000
const READ = 500
const PACE_MS = 100
const RANKS: Readonly<Record<string, number>> = { debug: 0, info: 1, warn: 2, error: 3 }
const LEVELS: readonly { value: Level; label: string }[] = [{ value: 'debug', label: 'All' }, { value: 'info', label: 'Info' }, { value: 'warn', label: 'Warnings' }, { value: 'error', label: 'Errors' }]

/** What the agent wrote: lines of its log, what its tools printed, its errors; the newest at the end. */
export const Words = memo(function Words({ topic }: { topic: string }): ReactNode {
  const view = useEvents<Word>(topic, { types: TYPES, since: { last: READ }, limit: KEPT })
  const events = usePaced(view.events, PACE_MS)
  const [level, setLevel] = useState<Level>('debug')
  const [isFollowing, setFollowing] = useState(true)
  const lines = useMemo(() => events.filter((event) => rankOf(event) >= RANKS[level]!), [events, level])
  const isReading = view.status === 'connecting' || view.status === 'catching-up'
  return (
    <Panel title="Log and output" actions={<><Choice label="Level" value={level} onChange={setLevel} options={LEVELS} /><button type="button" aria-pressed={isFollowing} onClick={() => setFollowing(!isFollowing)}>Follow</button></>}>
      {view.error && <Failure error={view.error} />}
      {lines.length === 0
        ? <p className={css.quiet}>{events.length > 0 ? `None of ${events.length} lines is of that level.` : isReading ? 'Reading its log…' : 'It wrote nothing that the journal still has.'}</p>
        : <VirtualList label="Lines" items={lines} keyOf={idOf} estimate={24} follow={isFollowing} onFollow={setFollowing} className={css.lines}>{(event) => <Line event={event} />}</VirtualList>}
      {events.length >= KEPT && <p className={css.quiet}>The last {KEPT} lines; older ones are among its events.</p>}
    </Panel>
  )
})

const Line = memo(function Line({ event }: { event: HubEvent<Word> }): ReactNode {
  const { data: { message, output, code, taskId }, metadata: { recordedAt } } = event
  const level = levelOf(event)
  return (
    <div className={css.line} data-level={level}>
      <time dateTime={new Date(recordedAt).toISOString()}>{new Date(recordedAt).toLocaleTimeString()}</time>
      <span className={css.level}>{event.type === 'agent.output' ? 'out' : level}</span>
      <span className={css.text}>
        {code !== undefined && <><strong><Said text={code} most={60} /></strong> </>}
        <Said text={message ?? output ?? ''} className={`said ${css.pre}`} />
        {taskId !== undefined && <> <To kind="task" id={taskId} className={css.of} /></>}
      </span>
    </div>
  )
})

function levelOf({ type, data: { level, stream } }: HubEvent<Word>): string {
  if (type === 'agent.error') return 'error'
  if (type === 'agent.output') return stream === 'stderr' ? 'warn' : 'info'
  return level ?? 'info'
}

function rankOf(event: HubEvent<Word>): number {
  return RANKS[levelOf(event)] ?? 1
}

function idOf({ id }: HubEvent): string {
  return id
}
