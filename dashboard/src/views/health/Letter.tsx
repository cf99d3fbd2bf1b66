import { memo, useId, useMemo, type ReactNode } from 'react'
import type { DeadLetter } from '@hubbub/client'
import { Ago } from '../../parts/Ago'
import { Json } from '../../parts/Json'
import { Said, shown } from '../../parts/Said'
import { eventOf, fieldsOf } from './letters'
import css from './health.module.css'

interface Shown {
  letter: DeadLetter
  isOpen: boolean
  /** It is being replayed or dropped. */
  isBusy: boolean
  onOpen: () => void
  onReplay: (letter: DeadLetter) => void
  onDrop: (letter: DeadLetter) => void
}

export function Letter({ letter, isOpen, isBusy, onOpen, onReplay, onDrop }: Shown): ReactNode {
  const inside = useId()
  const { type, id } = useMemo(() => eventOf(letter), [letter])
  const name = `${type ?? 'entry'}${id === undefined ? '' : ` ${id}`}`
  return (
    <article className={css.letter} data-row={`letter:${letter.partition}/${letter.id}`} data-status={shown(letter.code, 60)}>
      <button type="button" className={css.opener} aria-expanded={isOpen} aria-controls={inside} onClick={onOpen}>
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
        <strong className="mono">{shown(letter.code, 60)}</strong>
        <bdi className={`cut ${css.subject}`}>{name}</bdi>
        <Ago at={letter.at} />
      </button>
      <div className={css.acts}>
        <button type="button" disabled={isBusy} aria-label={`Replay ${name}`} onClick={() => onReplay(letter)}>{isBusy ? 'Asking…' : 'Replay'}</button>
        <button type="button" disabled={isBusy} aria-label={`Drop ${name}`} onClick={() => onDrop(letter)}>Drop…</button>
      </div>
      {/* Keys in here are the tree's, not the list's. */}
      {isOpen && <div id={inside} className={css.inside} onKeyDown={(event) => event.stopPropagation()}><Inside letter={letter} /></div>}
    </article>
  )
}

const Inside = memo(function Inside({ letter }: { letter: DeadLetter }): ReactNode {
  const { message, partition, stream, entry, id, at } = letter
  const fields = useMemo(() => fieldsOf(letter), [letter])
  return (
    <>
      <p className={css.text}><Said text={message} /></p>
      <dl className={css.facts}>
        <dt>Came in by</dt><dd className="mono"><Said text={`${stream} ${entry}`} most={200} /></dd>
        <dt>Partition</dt><dd>{partition}</dd>
        <dt>Letter</dt><dd className="mono"><Said text={id} most={100} /></dd>
        <dt>Refused</dt><dd>{new Date(at).toLocaleString()}</dd>
      </dl>
      {fields.map(({ name, value }) => (
        <section key={name} aria-label={`Field ${shown(name, 60)}`}>
          <h3 className="mono">{shown(name, 60)}</h3>
          {typeof value === 'string' ? <p className={css.raw}><Said text={value} /></p> : <Json value={value} />}
        </section>
      ))}
    </>
  )
})
