import type { ReactNode } from 'react'
import { FAILURES, type HubError } from '@hubbub/client'
import { Said } from './Said'
import css from './parts.module.css'

/** What went wrong, by its code, and what to do about it. */
export function Failure({ error, onRetry }: { error: HubError; onRetry?: () => void }): ReactNode {
  return (
    <div role="alert" className={css.failure}>
      <strong className="mono">{error.code}</strong> <Said text={error.message} />
      <span className={css.remedy}>{FAILURES[error.code].remedy}</span>
      {onRetry && <button type="button" onClick={onRetry}>Try again</button>}
    </div>
  )
}
