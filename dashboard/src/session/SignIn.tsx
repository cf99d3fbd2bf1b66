import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from 'react'
import type { HubError } from '@hubbub/client'
import { Failure } from '../parts/Failure'
import { claimsOf, type Credential, type CredentialActions } from './credential'
import css from './SignIn.module.css'

interface Asked {
  credential: Credential
  actions: CredentialActions
  error: HubError | undefined
  /** The page is open below it. */
  over: boolean
}

export function SignIn({ credential, actions, error, over }: Asked): ReactNode {
  const [token, setToken] = useState('')
  const [project, setProject] = useState(credential.project ?? '')
  const field = useRef<HTMLTextAreaElement>(null)
  const ids = { token: useId(), project: useId(), title: useId() }
  // Before the page below it is made inert, and loses the focus.
  const before = useRef(document.activeElement)
  useEffect(() => {
    const opener = before.current
    field.current?.focus()
    return () => void (opener instanceof HTMLElement && document.contains(opener) && opener.focus())
  }, [])
  const given = token.trim() || credential.token
  const { projects } = claimsOf(given)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    actions.signIn({ ...(given && { token: given }), ...(project && { project }) })
  }
  // Without anything given the hub only said that it asks for something.
  const isWrong = error && (credential.token !== undefined || error.code !== 'AUTH_MISSING_TOKEN')
  return (
    <main className={over ? `${css.page} ${css.over}` : css.page} aria-labelledby={ids.title}>
      <form className={css.card} onSubmit={submit}>
        <img src="./icon.svg" alt="" width="40" height="40" />
        <h1 id={ids.title}>{over ? 'Sign in again' : 'Hubbub'}</h1>
        <p>Paste a token or an API key. <code>hubbub up</code> prints one; <code>hubbub token</code> makes others.</p>
        {isWrong && <Failure error={error} />}
        <label htmlFor={ids.token}>Token</label>
        <textarea id={ids.token} ref={field} rows={4} spellCheck={false} autoComplete="off" value={token} onChange={(event) => setToken(event.target.value)} placeholder={credential.token ? 'The one of before' : 'eyJ…'} />
        <label htmlFor={ids.project}>Project <span>(only where the token grants several)</span></label>
        <input id={ids.project} value={project} list={`${ids.project}-known`} onChange={(event) => setProject(event.target.value)} spellCheck={false} autoComplete="off" placeholder="default" />
        <datalist id={`${ids.project}-known`}>{projects.filter((one) => one !== '*').map((one) => <option key={one} value={one} />)}</datalist>
        <button type="submit" className="primary" disabled={!given && !project}>Sign in</button>
      </form>
    </main>
  )
}
