/** One suite for every store: what the port promises. */
import type { Store } from '../../server/src/store/port.js'
import { DEFAULTS, type OpenStore } from './fixture.js'
import { commitSuite } from './suite/commit.js'
import { journalSuite } from './suite/journal.js'
import { leaseSuite } from './suite/leases.js'
import { mailboxSuite } from './suite/mailbox.js'
import { provenanceSuite } from './suite/provenance.js'
import { recordSuite } from './suite/records.js'
import { rosterSuite } from './suite/roster.js'
import { selectionSuite } from './suite/selection.js'
import { sourceSuite } from './suite/source.js'
import { stateIndexSuite } from './suite/state-index.js'
import { stateSuite } from './suite/state.js'
import { timerSuite } from './suite/timers.js'

export function storeSuite(name: string, openEmpty: OpenStore): void {
  describe(name, () => {
    const opened: Store[] = []
    const open: OpenStore = async (options) => {
      const store = await openEmpty({ ...DEFAULTS, ...options })
      opened.push(store)
      return store
    }
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()))
    })
    sourceSuite(open)
    leaseSuite(open)
    commitSuite(open)
    journalSuite(open)
    provenanceSuite(open)
    recordSuite(open)
    mailboxSuite(open)
    stateSuite(open)
    stateIndexSuite(open)
    selectionSuite(open)
    timerSuite(open)
    rosterSuite(open)
  })
}
