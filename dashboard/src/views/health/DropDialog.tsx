import { useId, useLayoutEffect, useRef, type ReactNode } from 'react'
import type { DeadLetter } from '@hubbub/client'
import { Said } from '../../parts/Said'
import { nameOf } from './letters'
import css from './health.module.css'

/** Asks before something is gone for good. Escape keeps it; the browser gives the focus back to where it was. */
export function DropDialog({ letter, onDrop, onKeep }: { letter: DeadLetter; onDrop: (letter: DeadLetter) => void; onKeep: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const title = useId()
  const text = useId()
  // Before it is taken out of the page: a browser gives the focus back only when an open dialog closes.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog ref={dialog} className={css.dialog} aria-labelledby={title} aria-describedby={text} onCancel={(event) => {
      event.preventDefault()
      onKeep()
    }}>
      <h2 id={title}>Drop this dead letter?</h2>
      <div id={text}>
        <p><strong><Said text={nameOf(letter)} most={400} /></strong></p>
        <p><code>{letter.code}</code> <Said text={letter.message} most={400} /></p>
        <p>It is gone for good: nobody can replay it afterwards.</p>
      </div>
      <div className={css.acts}>
        <button type="button" onClick={onKeep}>Keep it</button>
        <button type="button" className={css.danger} onClick={() => onDrop(letter)}>Drop it for good</button>
      </div>
    </dialog>
  )
}
