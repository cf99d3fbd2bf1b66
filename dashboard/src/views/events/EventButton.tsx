import type { ReactNode } from 'react'
import { shown } from '../../parts/Said'
import { familyOf } from './look'
import css from './events.module.css'

/** To another event, in the inspector. */
export function EventButton({ id, type, onOpen }: { id: string; type: string | undefined; onOpen: (id: string) => void }): ReactNode {
  return (
    <button type="button" className={css.eventButton} onClick={() => onOpen(id)}>
      {type !== undefined && <bdi className={css.type} data-family={familyOf(type)}>{shown(type, 80)}</bdi>} <bdi className={css.aside}>{shown(id, 60)}</bdi>
    </button>
  )
}
