import { useMemo, useState, type ReactNode } from 'react'
import { Said } from '../../parts/Said'
import css from './runs.module.css'

/** Of what is longer, beginning and end are shown until somebody asks for all. */
const LONG = 40_000
const HEAD = 20_000
const TAIL = 4000

interface Told {
  text: string
  /** More may come. */
  isOpen?: boolean
}

/** Text as it was said: white space kept, blocks between fences in a fixed width. Nothing of it is taken for markup. */
export function Prose({ text, isOpen = false }: Told): ReactNode {
  const [isWhole, setWhole] = useState(false)
  const isCut = text.length > LONG && !isWhole
  const head = isCut ? text.slice(0, HEAD) : text
  const blocks = useMemo(() => blocksOf(head), [head])
  return (
    <div className={css.prose} data-open={isOpen || undefined}>
      {blocks.map(({ isCode, text: said }, index) => (isCode ? <pre key={index} tabIndex={0} aria-label="Code"><Said text={said} most={said.length} /></pre> : <p key={index}><Said text={said} most={said.length} /></p>))}
      {isCut && <p><button type="button" onClick={() => setWhole(true)}>{(text.length - HEAD - TAIL).toLocaleString('en')} characters more</button></p>}
      {isCut && <p><Said text={text.slice(-TAIL)} most={TAIL} /></p>}
    </div>
  )
}

interface Block {
  isCode: boolean
  text: string
}

/** A fence stands at the beginning of a line. One that is not closed (yet) goes on to the end. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let isCode = false
  for (const part of text.split(/^[ \t]*```.*$/m)) {
    const said = part.replace(/^(\r?\n)+/, '').replace(/(\r?\n)+$/, '')
    if (said.trim() !== '') blocks.push({ isCode, text: said })
    isCode = !isCode
  }
  return blocks
}
