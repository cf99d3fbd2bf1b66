/**
 * READ ME FIRST. A page of the hub's that uses what anybody's page can: `@hubbub/client` and `@hubbub/react`.
 *
 *   session/   who looks: a token from the address or pasted, and the project
 *   shell/     what is always there: ways to the views, the state of the connection, light and dark
 *   parts/     what views are made of; they know React, and no hub
 *   views/     a folder a view, loaded when it is first shown; they do not know each other
 */
import { createRoot } from 'react-dom/client'
import { App } from './app'
import './style/tokens.css'
import './style/base.css'

const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)
