import { PAST } from './cases/past.js'
import { READING } from './cases/reading.js'
import { RETURN } from './cases/return.js'
import { RIGHTS } from './cases/rights.js'
import { WRITING } from './cases/writing.js'
import type { Case } from './steps.js'

/** What every gateway must show, word for word the same. */
export const CASES = {
  'what a subscription brings': READING,
  'what was before': PAST,
  'what is published': WRITING,
  'who may what': RIGHTS,
  'cuts, gaps, batches': RETURN,
} satisfies Record<string, Case[]>
