import { useEffect, useState, type ReactNode } from 'react'
import type { HubError } from '@hubbub/client'
import { useConnection } from '@hubbub/react'
import { identityOf, type Credential, type CredentialActions } from './credential'
import { SignIn } from './SignIn'

/** What a visitor can do something about with another token or project; all else passes by itself. */
function isOurs({ code }: HubError): boolean {
  return code.startsWith('AUTH_') || code === 'WRONG_PROJECT' || code === 'INSUFFICIENT_PERMISSIONS'
}

/**
 * Shows the page to whoever the hub lets in. A hub without authentication lets everybody in, so it is tried first. Whose token ends while
 * the page is open is asked for another over the page, which stays as it was.
 */
export function Gate({ credential, actions, children }: { credential: Credential; actions: CredentialActions; children: ReactNode }): ReactNode {
  const { state, error } = useConnection()
  const [inAs, setInAs] = useState<string>()
  const identity = identityOf(credential)
  const wasIn = inAs === identity
  const isIn = state === 'live' || state === 'catching-up'
  useEffect(() => {
    if (isIn) setInAs(identity)
  }, [isIn, identity])
  const isRefused = state === 'closed' || (error !== undefined && isOurs(error) && !isIn)
  // At the same place before and after the first answer: what is mounted meanwhile keeps its state, and the focus.
  return (
    <>
      {(wasIn || !isRefused) && <div inert={isRefused}>{children}</div>}
      {isRefused && <SignIn credential={credential} actions={actions} error={error} over={wasIn} />}
    </>
  )
}
