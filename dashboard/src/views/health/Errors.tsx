import { memo, type ReactNode } from 'react'
import type { Overview } from '@hubbub/client'
import { Ago } from '../../parts/Ago'
import { count } from '../../parts/figures'
import { Panel } from '../../parts/Page'
import { shown } from '../../parts/Said'
import css from './health.module.css'

const MOST = 20

/** What was answered with a code in the last hour, the most frequent first. */
export const Errors = memo(function Errors({ errors }: Pick<Overview, 'errors'>): ReactNode {
  return (
    <Panel title="Refusals of the last hour">
      {errors.length === 0 ? <p className={css.quiet}>None.</p> : (
        <div className={css.scroll} role="region" aria-label="Refusals, table" tabIndex={0}>
          <table className={css.table}>
            <thead><tr><th scope="col">Code</th><th scope="col">Times</th><th scope="col">Last</th></tr></thead>
            <tbody>
              {errors.slice(0, MOST).map((error) => (
                <tr key={error.code} data-code={error.code}><th scope="row" className="mono">{shown(error.code, 60)}</th><td>{count(error.count)}</td><td><Ago at={error.lastAt} /></td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
})
