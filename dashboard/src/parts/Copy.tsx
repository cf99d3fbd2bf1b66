import { useEffect, useState, type ReactNode } from 'react'

interface Copied {
  /** What is copied, in words: `id`. */
  what: string
  /** Asked for when it is copied: it may be large. */
  text: () => string
  className?: string
}

const TOLD_MS = 1500

export function Copy({ what, text, className = 'plain' }: Copied): ReactNode {
  const [outcome, setOutcome] = useState<'copied' | 'not allowed'>()
  useEffect(() => {
    if (!outcome) return
    const timer = setTimeout(() => setOutcome(undefined), TOLD_MS)
    return () => clearTimeout(timer)
  }, [outcome])
  return (
    <button type="button" className={className} onClick={() => void copy(text()).then((done) => setOutcome(done ? 'copied' : 'not allowed'))}>
      {outcome ?? `Copy ${what}`}
      <span className="sr-only" role="status">{outcome && `${what} ${outcome}`}</span>
    </button>
  )
}

/** Answers whether it was. Over plain HTTP, but for this machine, browsers have no clipboard but the old way. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const before = document.activeElement
  const field = document.createElement('textarea')
  field.value = text
  field.setAttribute('aria-hidden', 'true')
  document.body.append(field)
  field.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    field.remove()
    if (before instanceof HTMLElement) before.focus()
  }
}
