import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useChoices } from './address'
import { Search } from './Choice'

/** Browsers refuse a page that writes its address too often. ms */
const PAUSE_MS = 200

/** A search whose text stands in the address, under `name`. */
export function KeptSearch({ label, name, placeholder }: { label: string; name: string; placeholder?: string }): ReactNode {
  const [choices, choose] = useChoices()
  const kept = choices.get(name) ?? ''
  const [text, setText] = useState(kept)
  const written = useRef(kept)
  // Another address, and not by typing: back, or a link.
  useEffect(() => {
    if (kept === written.current) return
    written.current = kept
    setText(kept)
  }, [kept])
  useEffect(() => {
    if (text === written.current) return
    const timer = setTimeout(() => {
      written.current = text
      choose({ [name]: text })
    }, PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text, name, choose])
  return <Search label={label} value={text} onChange={setText} placeholder={placeholder} />
}
