import type { ReactNode } from 'react'
import { Ago } from '../../parts/Ago'
import { UNKNOWN } from '../../parts/figures'
import { Said } from '../../parts/Said'
import type { AgentView } from './plight'
import css from './agent.module.css'

export function Facts({ agent }: { agent: AgentView }): ReactNode {
  const { agentType, capabilities, maxTasks, owner, registeredAt, lastSeenAt, connections, reportedTasks, currentTasks } = agent
  const claimed = reportedTasks?.filter((id) => !currentTasks.includes(id)) ?? []
  return (
    <dl className={css.facts}>
      <dt>Type</dt>
      <dd>{agentType === undefined ? UNKNOWN : <Said text={agentType} most={200} />}</dd>
      <dt>Capabilities</dt>
      <dd>{capabilities.length === 0 ? 'none said' : <ul className={css.tags}>{capabilities.slice(0, 50).map((one) => <li key={one}><Said text={one} most={100} /></li>)}</ul>}</dd>
      <dt>Tasks at once</dt>
      <dd>{maxTasks}</dd>
      <dt>Last beat</dt>
      <dd><Ago at={lastSeenAt} /></dd>
      <dt>Registered</dt>
      <dd>{registeredAt === undefined ? 'never: it only reports' : <Ago at={registeredAt} />}</dd>
      <dt>Registered by</dt>
      <dd>{owner === undefined ? UNKNOWN : <Said text={owner} most={300} className="said mono" />}</dd>
      <dt>Connections</dt>
      <dd>{connections === undefined ? 'none of its own: it reports over HTTP or a stream' : connections.length === 0 ? 'lost' : <>{connections.length}: {connections.slice(0, 5).map((one) => <Said key={one} text={`${one} `} most={80} className="said mono" />)}</>}</dd>
      {claimed.length > 0 && <><dt>Says it works on</dt><dd>{claimed.slice(0, 20).map((one) => <Said key={one} text={`${one} `} most={100} className="said mono" />)} without holding {claimed.length === 1 ? 'it' : 'them'}</dd></>}
    </dl>
  )
}
