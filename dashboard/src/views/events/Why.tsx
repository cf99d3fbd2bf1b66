import { useState, type FormEvent, type ReactNode } from 'react'
import type { HubError, Trace } from '@hubbub/client'
import { useHubbub } from '@hubbub/react'
import { Failure } from '../../parts/Failure'
import { Traced } from './Traced'
import css from './events.module.css'

interface Told {
  trace?: Trace
  error?: HubError
  isAsking: boolean
  /** Whom it was asked about. */
  about?: string
}

/** Why it did or did not arrive. Asked only when somebody wants to know: the hub looks through its journal for it. */
export function Why({ id, onOpen }: { id: string; onOpen: (id: string) => void }): ReactNode {
  const hub = useHubbub()
  const [{ trace, error, isAsking, about }, setTold] = useState<Told>({ isAsking: false })
  const [who, setWho] = useState('')
  const [kind, setKind] = useState<'session' | 'subject'>('subject')
  const ask = (event?: FormEvent): void => {
    event?.preventDefault()
    if (isAsking) return
    const name = who.trim()
    setTold((before) => ({ ...before, isAsking: true }))
    hub.operator.trace(id, name === '' ? {} : { [kind]: name }).then(
      (told) => setTold({ trace: told, isAsking: false, ...(name !== '' && { about: `${kind} ${name}` }) }),
      (failure: HubError) => setTold({ error: failure, isAsking: false }),
    )
  }
  return (
    <section className={css.why} aria-label="Why it did or did not arrive">
      <h3>Why</h3>
      <form onSubmit={ask}>
        <select aria-label="Ask about a" value={kind} onChange={(event) => setKind(event.target.value === 'session' ? 'session' : 'subject')}>
          <option value="subject">subject</option>
          <option value="session">session</option>
        </select>
        <input aria-label={`Name of the ${kind}`} value={who} placeholder={kind === 'subject' ? 'anybody, or a subject: ann' : 'a session id'} spellCheck={false} autoComplete="off" onChange={(event) => setWho(event.target.value)} />
        <button type="submit" aria-disabled={isAsking}>{isAsking ? 'Asking…' : 'Explain'}</button>
      </form>
      {error && <Failure error={error} />}
      {error?.code === 'INSUFFICIENT_PERMISSIONS' && <p className={css.hint}>Ask about yourself, or have an admin look.</p>}
      {trace && <Traced trace={trace} about={about} onOpen={onOpen} />}
    </section>
  )
}
