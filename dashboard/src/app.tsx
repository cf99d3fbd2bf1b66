import { useMemo, type ReactNode } from 'react'
import { HubbubProvider } from '@hubbub/react'
import { Router } from 'wouter'
import { Gate } from './session/Gate'
import { useCredential } from './session/credential'
import { useHashLocation } from './shell/location'
import { Shell } from './shell/Shell'

/** The hub is where the page comes from, also behind a proxy that puts it under a path. */
const HUB = new URL('.', window.location.href)

export function App(): ReactNode {
  const [credential, actions] = useCredential()
  const options = useMemo(() => ({ ...(credential.token && { token: credential.token }), ...(credential.project && { project: credential.project }), path: `${HUB.pathname}socket.io/`, apiPath: `${HUB.pathname}api/v1`, withCredentials: true }), [credential])
  return (
    <HubbubProvider url={HUB.origin} options={options}>
      <Gate credential={credential} actions={actions}>
        <Router hook={useHashLocation}>
          <Shell credential={credential} actions={actions} />
        </Router>
      </Gate>
    </HubbubProvider>
  )
}
