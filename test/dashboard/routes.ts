/** Every address of the dashboard on the state of `cast.ts`, and a text that is there when the view has read what it shows. */
import { AGENTS, HERO, PIPELINES, RUN } from './cast.js'

export interface WalkedRoute {
  name: string
  path: string
  /** In the content, not in the shell around it. */
  shows: string | RegExp
  /** It shows what comes while one looks, and nothing before. */
  isLive?: true
}

export const ROUTES: readonly WalkedRoute[] = [
  { name: 'fleet', path: '/', shows: 'reviewer-2' },
  { name: 'agent', path: `/agents/${AGENTS[2]}`, shows: HERO },
  { name: 'pipelines', path: '/pipelines', shows: 'Release 4.2' },
  { name: 'pipeline', path: `/pipelines/${PIPELINES[0]}`, shows: 'unit tests' },
  { name: 'tasks', path: '/tasks', shows: 'Retry a declined card once' },
  { name: 'task', path: `/tasks/${HERO}`, shows: 'green, now tidying up' },
  { name: 'runs', path: '/runs', shows: RUN },
  { name: 'run', path: `/runs/${RUN}`, shows: 'A declined card is tried once more, after two seconds.' },
  { name: 'events', path: '/events', shows: 'agent.heartbeat', isLive: true },
  { name: 'events of a task', path: `/events?topic=${encodeURIComponent(`task:${HERO}`)}`, shows: /live tail/i },
  { name: 'health', path: '/health', shows: /partition/i },
  { name: 'nowhere', path: '/no/such/view', shows: 'There is no such view' },
]
