import { memo, useMemo, useState, type ReactNode } from 'react'
import type { HubError } from '@hubbub/client'
import { Link } from 'wouter'
import { Ago, useNow } from '../../parts/Ago'
import { wayTo } from '../../parts/address'
import { Failure } from '../../parts/Failure'
import { Panel } from '../../parts/Page'
import { shown } from '../../parts/Said'
import { Status, toneOf, type Tone } from '../../parts/Status'
import { isInTrouble, plightOf, reportedAtOf, troubledAt, type AgentView, type Tasks } from './plight'
import css from './fleet.module.css'

interface Case {
  key: string
  href: string
  name: string
  status: string
  tone: Tone
  text: string
  since: string
}

interface Asked {
  agents: readonly AgentView[]
  tasks: Tasks
  isLoading: boolean
  /** Why not all of it is known. */
  error: HubError | undefined
}

/** Tasks that failed before are no news. ms */
const NEWS_MS = 3_600_000
const FIRST = 5
const MOST = 100

/** What a person should look at now: agents first, then what failed in the last hour or is blocked. */
export const Attention = memo(function Attention({ agents, tasks, isLoading, error }: Asked): ReactNode {
  const minute = Math.floor(useNow() / 60_000)
  const [isOpen, setOpen] = useState(false)
  const cases = useMemo(() => [...agentCases(agents, tasks), ...taskCases(tasks, minute * 60_000)], [agents, tasks, minute])
  const listed = cases.slice(0, isOpen ? MOST : FIRST)
  return (
    <Panel title="Needs attention" actions={!isLoading && !error && <span className={cases.length > 0 ? css.alarm : css.calm}>{cases.length}</span>}>
      {error && <Failure error={error} />}
      {!isLoading && !error && cases.length === 0 && <p className={css.quiet}>Nothing: no agent is stuck or silent, no task failed in the last hour or is stuck.</p>}
      {listed.length > 0 && (
        <ul className={css.cases}>
          {listed.map(({ key, href, name, status, tone, text, since }) => (
            <li key={key} data-case={key} className={css[tone]}>
              <Link href={href} className="cut" title={name}>{name}</Link>
              <Status status={status} tone={tone} />
              <p>{text} <Ago at={since} /></p>
            </li>
          ))}
        </ul>
      )}
      {cases.length > FIRST && <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{isOpen ? 'Fewer' : `${cases.length - FIRST} more`}</button>}
      {isOpen && cases.length > MOST && <p className={css.quiet}>{cases.length - MOST} are not listed; see <Link href="/tasks">all tasks</Link>.</p>}
    </Panel>
  )
})

function agentCases(agents: readonly AgentView[], tasks: Tasks): Case[] {
  return agents.flatMap((agent): Case[] => {
    const plight = plightOf(agent, reportedAtOf(agent, tasks))
    if (!plight?.isUrgent) return []
    const { tone, text, movedAt } = plight
    return [{ key: `agent:${agent.id}`, href: wayTo('agents', agent.id), name: shown(agent.id, 200), status: agent.status, tone, text: movedAt === undefined ? `${text} · last heard` : `${text} · last report`, since: movedAt ?? agent.lastSeenAt }]
  })
}

function taskCases(tasks: Tasks, now: number): Case[] {
  const found = [...tasks.values()].filter((task) => isInTrouble(task, tasks) && (task.status !== 'failed' || now - Date.parse(troubledAt(task)) < NEWS_MS))
  return found.toSorted((a, b) => (troubledAt(a) < troubledAt(b) ? 1 : -1)).map((task) => ({
    key: `task:${task.id}`,
    href: wayTo('tasks', task.id),
    tone: toneOf(task.status),
    name: shown(task.title ?? task.id, 200),
    status: task.status,
    text: `${shown((task.status === 'failed' ? task.error : task.blockedReason) ?? 'no reason was given', 200)} ·`,
    since: troubledAt(task),
  }))
}
