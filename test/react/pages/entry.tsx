import { Profiler, StrictMode, type ReactNode } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { connect } from '@hubbub/client'
import { Scene, type Settings } from './scenes.js'
import { emptySeen } from './seen.js'

const asked = new URLSearchParams(location.search)
const get = (name: string): string => asked.get(name) ?? ''
const settings: Settings = { url: get('url'), token: get('token'), topic: get('topic'), other: get('other') }
const place = document.getElementById('root')!
let root: Root

const page = (): ReactNode => (
  <StrictMode>
    <Profiler id="page" onRender={() => globalThis.stage.seen.commits++}>
      <Scene name={get('scene')} settings={settings} />
    </Profiler>
  </StrictMode>
)

globalThis.stage = {
  seen: emptySeen(),
  again: () => root.render(page()),
  toggle: () => undefined,
  unmount: () => root.unmount(),
  mount() {
    root = createRoot(place)
    root.render(page())
  },
  connect,
}
if (place.hasChildNodes()) root = hydrateRoot(place, page(), { onRecoverableError: (error) => console.error(error) })
else globalThis.stage.mount()
