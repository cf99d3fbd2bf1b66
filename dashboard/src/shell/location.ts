/**
 * The way through the dashboard: `#/tasks?status=failed`, the choices behind the path, all of it behind the hash. The router's own hash location
 * writes choices before the hash: there they outlive the view that they are of, are sent to the hub with every reload, and are not where
 * its links have them (`href="#/events?topic=…"`), so that a link that is opened in another tab leads nowhere.
 */
import type { BaseLocationHook } from 'wouter'
import { useLocationProperty } from 'wouter/use-browser-location'

const path = (): string => `/${window.location.hash.replace(/^#?\/?/, '').split('?')[0] ?? ''}`
const query = (): string => window.location.hash.split('?').slice(1).join('?')

function navigate(to: string, { replace = false, state = null }: { replace?: boolean; state?: unknown } = {}): void {
  const address = `#${to.replace(/\?$/, '')}`
  // The router's listeners hear of both.
  if (replace) window.history.replaceState(state, '', address)
  else window.history.pushState(state, '', address)
}

export const useHashLocation: BaseLocationHook = Object.assign(
  (): [string, typeof navigate] => [useLocationProperty(path, () => '/'), navigate],
  { hrefs: (to: string) => `#${to}`, searchHook: () => useLocationProperty(query, () => '') },
)
