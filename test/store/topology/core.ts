/** What the suite of all stores says of the path itself: short enough to be run on each way in which Redis is run. */
import type { Store } from '../../../server/src/store/port.js'
import { DEFAULTS, type OpenStore } from '../fixture.js'
import { commitSuite } from '../suite/commit.js'
import { journalSuite } from '../suite/journal.js'
import { leaseSuite } from '../suite/leases.js'
import { recordSuite } from '../suite/records.js'
import { rosterSuite } from '../suite/roster.js'
import { sourceSuite } from '../suite/source.js'

const SUITES = { source: sourceSuite, leases: leaseSuite, commit: commitSuite, journal: journalSuite, records: recordSuite, roster: rosterSuite }

export function coreSuite(name: string, openEmpty: OpenStore, which: readonly (keyof typeof SUITES)[] = ['source', 'leases', 'commit', 'journal', 'records', 'roster']): void {
  describe(name, () => {
    const opened: Store[] = []
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()))
    })
    for (const suite of which) {
      SUITES[suite](async (options) => {
        const store = await openEmpty({ ...DEFAULTS, ...options })
        opened.push(store)
        return store
      })
    }
  })
}
