import { memo, type ReactNode } from 'react'
import { useEntities } from '@hubbub/react'
import { Ago } from '../../parts/Ago'
import { Failure } from '../../parts/Failure'
import { Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { Until } from '../../parts/Until'
import css from './task.module.css'

const MOST = 50

/** From where its work can go on, or went on. */
export const Checkpoints = memo(function Checkpoints({ id, told }: { id: string; told: number }): ReactNode {
  const { entities, error, isLoading } = useEntities(`checkpoint:${id}`, 'checkpoint')
  const own = entities.filter(({ taskId }) => taskId === id).toSorted((a, b) => (b.sequence ?? 0) - (a.sequence ?? 0) || Date.parse(b.createdAt) - Date.parse(a.createdAt))
  if (own.length === 0 && told === 0 && !error) return null
  return (
    <Panel title="Checkpoints" actions={<span className={css.note}>{own.length}{told > own.length && ` of ${told}, older ones are forgotten`}</span>}>
      {error && <Failure error={error} />}
      {isLoading && !error && <p className={css.note}>Reading…</p>}
      <ul className={css.checks}>
        {own.slice(0, MOST).map((one) => (
          <li key={one.id} data-row={`checkpoint:${one.id}`} data-status={one.status}>
            <Status status={one.status} /> {one.sequence !== undefined && `#${one.sequence} `}<Said text={[one.executionPhase, one.executionStep !== undefined ? `step ${one.executionStep}` : undefined, one.trigger].filter(Boolean).join(', ') || one.id} most={160} />{' '}
            <span className={css.note}>
              <Ago at={one.createdAt} />{one.hasDraft && ', with a draft'}
              {one.resumedAt !== undefined && <>, resumed <Ago at={one.resumedAt} /></>}
              {one.expiresAt !== undefined && one.status !== 'expired' && <>, expires <Until at={one.expiresAt} /></>}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
})
