import { memo, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { HubError } from '@hubbub/client'
import { useConnection, useEntities, useEvents, useHubbub } from '@hubbub/react'
import { useChoices } from '../../parts/address'
import { Choice, Search } from '../../parts/Choice'
import { Failure } from '../../parts/Failure'
import { counted } from '../../parts/figures'
import { Empty, Loading, Page } from '../../parts/Page'
import { usePaced } from '../../parts/paced'
import { VirtualGrid } from '../../parts/VirtualGrid'
import { AgentCard, type Density } from './AgentCard'
import { Alerts } from './Alerts'
import { Attention } from './Attention'
import { reportedAtOf, type AgentView, type TaskView } from './plight'
import { SAMPLE_TYPES, Samples } from './samples'
import { countsOf, select, selectionOf, SORTS } from './selection'
import { Summary, Totals } from './Totals'
import css from './fleet.module.css'

/** ms; nobody reads figures that change more often. */
const PACE_MS = 250
const ROW_HEIGHTS: Readonly<Record<Density, number>> = { roomy: 178, compact: 104 }
const MIN_WIDTHS: Readonly<Record<Density, number>> = { roomy: 248, compact: 210 }
const DENSITY_KEY = 'hubbub.fleet.density'

export default function Fleet(): ReactNode {
  const fleet = useEntities('agent:*', 'agent')
  const work = useEntities('task:*', 'task')
  const { state } = useConnection()
  const agents = usePaced(fleet.entities, PACE_MS)
  const tasks = usePaced(work.entities, PACE_MS)
  // The list comes a moment after the first snapshot: until then nothing is said about it.
  const isLoading = fleet.isLoading || (agents.length === 0 && fleet.entities.length > 0)
  return <Agents agents={agents} tasks={tasks} isLoading={isLoading} error={fleet.error} isReadingTasks={work.isLoading} taskError={work.error} isLive={state === 'live'} />
}

interface Shown {
  agents: readonly AgentView[]
  tasks: readonly TaskView[]
  isLoading: boolean
  error: HubError | undefined
  isReadingTasks: boolean
  taskError: HubError | undefined
  isLive: boolean
}

/** Of its own: entities change with each frame, and what is shown of them does not. */
const Agents = memo(function Agents({ agents, tasks: allTasks, isLoading, error, isReadingTasks, taskError, isLive }: Shown): ReactNode {
  const hub = useHubbub()
  const tasks = useMemo(() => new Map(allTasks.map((task) => [task.id, task])), [allTasks])
  const [choices, choose] = useChoices()
  const selection = useMemo(() => selectionOf(choices), [choices])
  const [density, setDensity] = useDensity()
  const samples = useMemo(() => new Samples(), [hub])
  const counts = useMemo(() => countsOf(agents), [agents])
  const chosen = useMemo(() => select(agents, tasks, selection), [agents, tasks, selection])
  const isKnown = !isLoading && !error

  return (
    <Page
      title="Fleet"
      summary={isKnown && <Summary counts={counts} isLive={isLive} />}
      actions={<Choice label="Density" value={density} onChange={setDensity} options={[{ value: 'roomy', label: 'Roomy' }, { value: 'compact', label: 'Compact' }]} />}
    >
      {error && <Failure error={error} />}
      {isKnown && <Feed samples={samples} agents={agents} />}
      <div className={css.tools}>
        <Totals counts={counts} isKnown={isKnown} value={selection.status} onChange={(status) => choose({ status: status === 'all' ? undefined : status })} />
        <div className={css.find}>
          <Search label="Search agents" placeholder="Name, type, capability, task" value={selection.text} onChange={(text) => choose({ text })} />
          <label>Sort <select value={selection.sort} onChange={(event) => choose({ sort: event.target.value })}>
            {Object.entries(SORTS).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
          </select></label>
        </div>
      </div>
      <div className={css.layout}>
        <aside className={css.rail} aria-label="What needs attention">
          <Attention agents={agents} tasks={tasks} isLoading={isLoading || isReadingTasks} error={error ?? taskError} />
          <Alerts />
        </aside>
        <section aria-label="Agents" className={css.agents}>
          {isLoading && !error && <Loading what="the fleet" />}
          {isKnown && agents.length === 0 && <Empty>No agents yet. One appears when it registers, <code>connect(url).agent({'{'} type: &#39;coder&#39; {'}'})</code>, or with its first heartbeat.</Empty>}
          {agents.length > 0 && chosen.length === 0 && (
            <Empty>None of {counted(agents.length, 'agent')} is like that. <button type="button" onClick={() => choose({ status: undefined, text: undefined })}>Show all</button></Empty>
          )}
          {chosen.length > 0 && (
            <VirtualGrid items={chosen} keyOf={idOf} label="Agents" minWidth={MIN_WIDTHS[density]} rowHeight={ROW_HEIGHTS[density]}>
              {(agent, tabIndex) => (
                <AgentCard agent={agent} task={tasks.get(agent.currentTasks[0] ?? '')} reportedAt={reportedAtOf(agent, tasks)} samples={samples} density={density} tabIndex={tabIndex} isLive={isLive} />
              )}
            </VirtualGrid>
          )}
        </section>
      </div>
    </Page>
  )
})

/** Hands figures to the samples; of its own so that nothing else is drawn for them. */
function Feed({ samples, agents }: { samples: Samples; agents: readonly AgentView[] }): ReactNode {
  const [since] = useState(() => pastOf(agents))
  useEvents('agent:*', { types: SAMPLE_TYPES, ...(since && { since }), limit: 0, onEvent: samples.take })
  return null
}

/** How far back the lines begin. A large fleet says enough in a minute, and its journal is long; where nobody spoke there is nothing to read. */
function pastOf(agents: readonly AgentView[]): '5m' | '1m' | undefined {
  const minutes = agents.length <= 50 ? 5 : 1
  const wasHeard = agents.some(({ lastSeenAt }) => Date.now() - Date.parse(lastSeenAt) < minutes * 60_000)
  return wasHeard ? `${minutes}m` : undefined
}

function useDensity(): [Density, (density: Density) => void] {
  const [density, set] = useState<Density>(() => {
    try {
      return localStorage.getItem(DENSITY_KEY) === 'compact' ? 'compact' : 'roomy'
    } catch {
      return 'roomy'
    }
  })
  useEffect(() => {
    try {
      localStorage.setItem(DENSITY_KEY, density)
    } catch {
      // Then it holds for this page.
    }
  }, [density])
  return [density, set]
}

function idOf({ id }: AgentView): string {
  return id
}
