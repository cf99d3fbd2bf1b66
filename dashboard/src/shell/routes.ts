/** The views, in the order of the navigation; each one's code comes when it is first shown. */
import { lazy, type ComponentType, type LazyExoticComponent } from 'react'

export interface View {
  /** Of the navigation; absent: reached from other views. */
  name?: string
  /** One character, beside the name. */
  sign?: string
  path: string
  Content: LazyExoticComponent<ComponentType>
}

export const VIEWS: readonly View[] = [
  { name: 'Fleet', sign: '⌂', path: '/', Content: lazy(() => import('../views/fleet/Fleet')) },
  { path: '/agents/:id', Content: lazy(() => import('../views/fleet/Agent')) },
  { name: 'Pipelines', sign: '⇶', path: '/pipelines', Content: lazy(() => import('../views/pipelines/Pipelines')) },
  { path: '/pipelines/:id', Content: lazy(() => import('../views/pipelines/Pipeline')) },
  { name: 'Tasks', sign: '☑', path: '/tasks', Content: lazy(() => import('../views/tasks/Tasks')) },
  { path: '/tasks/:id', Content: lazy(() => import('../views/tasks/Task')) },
  { name: 'Runs', sign: '❝', path: '/runs', Content: lazy(() => import('../views/runs/Runs')) },
  { path: '/runs/:id', Content: lazy(() => import('../views/runs/Run')) },
  { name: 'Events', sign: '≋', path: '/events', Content: lazy(() => import('../views/events/Events')) },
  { name: 'Health', sign: '♥', path: '/health', Content: lazy(() => import('../views/health/Health')) },
]
