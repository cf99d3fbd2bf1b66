/** What keys do to what is shown: pure, so that each key can be tried without a terminal. */
import { SORTS, type Page } from './rows.js'
import type { Key } from '../terminal/keys.js'

export interface View {
  page: Page
  sort: string
  isReversed: boolean
  filter: string
  /** The filter is being typed. */
  isTyping: boolean
  isPaused: boolean
  /** Row that is marked, by id, and where it stood: rows come and go. */
  selected: string | undefined
  at: number
  /** The marked one's facts are shown. */
  isOpen: boolean
  isHelp: boolean
}

export const FIRST: View = { page: 'agents', sort: 'status', isReversed: false, filter: '', isTyping: false, isPaused: false, selected: undefined, at: 0, isOpen: false, isHelp: false }

/** Undefined: it is the end. */
export function pressed(view: View, key: Key, ids: readonly string[], rows: number): View | undefined {
  if (key === 'ctrl-c') return undefined
  if (view.isTyping) return typed(view, key)
  if (view.isHelp) return { ...view, isHelp: false }
  const moved = moveBy(key, rows, ids.length)
  if (moved !== undefined) return moveTo(view, view.at + moved, ids)
  switch (key) {
    case 'q':
      return undefined
    case 'escape':
      return view.isOpen ? { ...view, isOpen: false } : { ...view, filter: '' }
    case 'enter':
      return { ...view, isOpen: !view.isOpen && ids.length > 0 }
    case 'tab':
    case 't':
      return { ...view, page: view.page === 'agents' ? 'tasks' : 'agents', sort: 'status', selected: undefined, at: 0, isOpen: false }
    case 's':
      return { ...view, sort: next(SORTS[view.page], view.sort) }
    case 'r':
      return { ...view, isReversed: !view.isReversed }
    case 'p':
    case ' ':
      return { ...view, isPaused: !view.isPaused }
    case '/':
      return { ...view, isTyping: true, isOpen: false }
    case '?':
    case 'h':
      return { ...view, isHelp: true }
    default:
      return view
  }
}

/** The marked row follows its id; one that is gone leaves the mark where it stood. */
export function placed(view: View, ids: readonly string[]): View {
  const found = view.selected === undefined ? -1 : ids.indexOf(view.selected)
  const at = found >= 0 ? found : Math.max(0, Math.min(view.at, ids.length - 1))
  return { ...view, at, selected: ids[at], isOpen: view.isOpen && found >= 0 }
}

function typed(view: View, key: Key): View {
  switch (key) {
    case 'enter':
      return { ...view, isTyping: false }
    case 'escape':
      return { ...view, isTyping: false, filter: '' }
    case 'backspace':
      return { ...view, filter: Array.from(view.filter).slice(0, -1).join('') }
    default:
      // Names of keys have several characters; what is typed has one.
      return Array.from(key).length === 1 && key >= ' ' ? { ...view, filter: view.filter + key } : view
  }
}

function moveBy(key: Key, rows: number, count: number): number | undefined {
  const steps: Record<Key, number> = { up: -1, k: -1, down: 1, j: 1, 'page-up': -rows, 'page-down': rows, home: -count, end: count }
  return Object.hasOwn(steps, key) ? steps[key] : undefined
}

function moveTo(view: View, place: number, ids: readonly string[]): View {
  const at = Math.max(0, Math.min(place, ids.length - 1))
  return { ...view, at, selected: ids[at] }
}

function next(of: readonly string[], present: string): string {
  return of[(of.indexOf(present) + 1) % of.length]!
}
