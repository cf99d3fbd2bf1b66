/** Where a page of a selection ended: `Selection.next`, the same in both stores. */
import { HubError } from '@hubbub/protocol'
import type { Selector } from './entities.js'

export interface PageEnd {
  /** Index into the selectors. */
  selector: number
  /** Of an index: go on behind this place, '' at its beginning. Of ids: how many were passed. */
  behind: string
}

/**
 * Places of an index that one call looks at for a prefix, about: then it ends, with whatever it found. Such a page ends between two
 * milliseconds and not at a place, because whoever may read `task:ab*` learns no other task's id from its token (I6).
 */
export const PLACES_A_PAGE = 5000

export function pageToken({ selector, behind }: PageEnd): string {
  return Buffer.from(`${selector} ${behind}`).toString('base64url')
}

/** Where to begin. Throws `HubError` for a token that no answer to such selectors had: it may come from a client. */
export function pageBegin(token: string | undefined, selectors: readonly Selector[]): PageEnd {
  if (token === undefined) return { selector: 0, behind: '' }
  const text = Buffer.from(token, 'base64url').toString()
  const [, number = '', behind = ''] = /^(\d{1,6}) (.{0,600})$/su.exec(text) ?? []
  const selector = selectors[Number(number)]
  if (number === '' || !selector || ('ids' in selector && !/^\d{0,9}$/.test(behind))) {
    throw new HubError('INVALID_MESSAGE', 'This is no `next` of an answer to the same question.', { path: 'after' })
  }
  return { selector: Number(number), behind }
}
