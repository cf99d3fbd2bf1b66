import type { ReactNode } from 'react'
import css from './parts.module.css'

interface Offered<T extends string> {
  label: string
  value: T
  options: readonly { value: T; label: string; count?: number }[]
  onChange: (value: T) => void
}

/** One of a few, all to be seen. */
export function Choice<T extends string>({ label, value, options, onChange }: Offered<T>): ReactNode {
  return (
    <div role="group" aria-label={label} className={css.choice}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}>
          {option.label}
          {option.count !== undefined && <span className={css.count}>{option.count}</span>}
        </button>
      ))}
    </div>
  )
}

export function Search({ label, value, onChange, placeholder }: { label: string; value: string; onChange: (value: string) => void; placeholder?: string }): ReactNode {
  return <input type="search" aria-label={label} className={css.search} value={value} placeholder={placeholder ?? label} onChange={(event) => onChange(event.target.value)} />
}
