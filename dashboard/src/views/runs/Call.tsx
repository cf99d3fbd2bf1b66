import { useMemo, type ReactNode } from 'react'
import { duration } from '../../parts/Ago'
import { Json } from '../../parts/Json'
import { Said, shown } from '../../parts/Said'
import { Status } from '../../parts/Status'
import { Prose } from './Prose'
import type { CallItem } from './items'
import css from './runs.module.css'

/** JSON that is longer is shown as text: to parse it with every token would cost more than it tells. */
const LONGEST_JSON = 500_000

/** A tool call: its arguments while they come, and what it gave back. */
export function Call({ item }: { item: CallItem }): ReactNode {
  const { name, args, isOpen, isPartial, result, at } = item
  return (
    <details className={css.call} open={isOpen || undefined}>
      <summary>
        <strong>{name === '' ? 'Tool call' : shown(name, 120)}</strong> <Progress item={item} />
        {isPartial && <Status status="incomplete" tone="warn" title="Something of it is missing" />}
        <bdi className={css.brief}>{shown(args.replace(/\s+/g, ' '), 120)}</bdi>
      </summary>
      <h4>Arguments{isOpen && ', coming'}</h4>
      <Value text={args} isOpen={isOpen} label={`Arguments of ${name}`} />
      {result && (
        <>
          <h4>Result <span className={css.aside}>after {duration(result.at - at)}</span></h4>
          {result.error !== undefined && <p className={css.missing}><Said text={result.error} /></p>}
          <Value text={result.text} isOpen={false} label={`Result of ${name}`} />
          {result.attached.map((one, index) => <p key={index} className={css.attached}>Attached: <Said text={one} most={200} /></p>)}
        </>
      )}
    </details>
  )
}

function Progress({ item: { isOpen, result } }: { item: CallItem }): ReactNode {
  if (result?.error !== undefined) return <Status status="failed" />
  if (result) return <Status status="done" tone="good" />
  return isOpen ? <Status status="streaming" tone="busy" /> : <Status status="no result yet" tone="idle" />
}

/** As a tree where it is JSON, as it is where it is not (yet). */
function Value({ text, isOpen, label }: { text: string; isOpen: boolean; label: string }): ReactNode {
  const parsed = useMemo(() => (isOpen ? undefined : parse(text)), [text, isOpen])
  if (text === '') return <p className={css.aside}>none</p>
  return parsed === undefined ? <Prose text={text} isOpen={isOpen} /> : <Json value={parsed} label={label} />
}

function parse(text: string): object | undefined {
  if (text.length > LONGEST_JSON || !/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text) as object
  } catch {
    return undefined
  }
}
