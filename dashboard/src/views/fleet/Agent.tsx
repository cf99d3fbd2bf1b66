import type { ReactNode } from 'react'
import { useConnection, useEntity } from '@hubbub/react'
import { Link } from 'wouter'
import { useAddressId, wayWith } from '../../parts/address'
import { Failure } from '../../parts/Failure'
import { Empty, Loading, Page, Panel } from '../../parts/Page'
import { shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { ToEvents } from '../../parts/To'
import { CurrentTasks } from './CurrentTasks'
import { Facts } from './Facts'
import { History } from './History'
import { LoadChart } from './LoadChart'
import { plightOf } from './plight'
import { Words } from './Words'
import css from './agent.module.css'

export default function Agent(): ReactNode {
  const id = useAddressId()
  return <One key={id} id={id} />
}

function One({ id }: { id: string }): ReactNode {
  // A pattern would be everybody.
  const known = id === '' || id.includes('*') ? undefined : id
  const { entity: agent, isLoading, error } = useEntity('agent', known)
  const { state } = useConnection()
  const plight = agent && plightOf(agent)
  const topic = `agent:${id}`
  return (
    <Page
      title={`Agent ${shown(id, 120)}`}
      summary={agent && <><Status status={agent.status} {...(plight && { tone: plight.tone })} />{plight && <strong className={css.plight}> {plight.text}</strong>}{state !== 'live' && ' (when last heard)'}</>}
      actions={<><ToEvents topic={topic}>Its events</ToEvents><Link href={wayWith('tasks', { agent: id })}>Its tasks</Link></>}
    >
      {error && <Failure error={error} />}
      {isLoading && <Loading what="the agent" />}
      {!isLoading && !error && !agent && (
        <Empty>
          The hub knows no agent <bdi className="said mono">{shown(id, 200)}</bdi>. It never spoke, or it was silent for so long that it was forgotten; what it said is below as far as the journal
          still has it. <Link href="/">The fleet</Link> has all that are known.
        </Empty>
      )}
      {agent && (
        <div className={css.pair}>
          <Panel title="Facts"><Facts agent={agent} /></Panel>
          <Panel title="Current tasks"><CurrentTasks agent={agent} /></Panel>
        </div>
      )}
      {known !== undefined && !error && (
        <>
          <LoadChart topic={topic} metrics={agent?.metrics} />
          <Words topic={topic} />
          <History topic={topic} />
        </>
      )}
    </Page>
  )
}
