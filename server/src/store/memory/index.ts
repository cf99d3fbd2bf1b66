/** The store in memory: for one process, gone when it ends. Same promises as Redis gives, by one thread instead of scripts. */
import type { StoreOptions } from '../options.js'
import type { Store } from '../port.js'
import { accessRecords } from './access.js'
import { MemoryContext } from './context.js'
import { deadLetters } from './dead.js'
import { ackHints } from './hints.js'
import { journal } from './journal.js'
import { ledger } from './ledger.js'
import { mailbox } from './mailbox.js'
import { provenance } from './provenance.js'
import { roster } from './roster.js'
import { sessions } from './sessions.js'
import { sinks } from './sinks.js'
import { sourceStreams } from './source.js'
import { stateStore } from './state.js'
import { vitals } from './vitals.js'

export async function openMemoryStore(options: StoreOptions): Promise<Store> {
  const context = new MemoryContext(options)
  return {
    kind: 'memory',
    partitions: options.partitions,
    ...sourceStreams(context),
    ...ledger(context),
    ...ackHints(context),
    ...journal(context),
    ...accessRecords(context),
    sessions: sessions(context),
    dead: deadLetters(context),
    provenance: provenance(context),
    state: stateStore(context),
    roster: roster(context),
    mailbox: mailbox(context),
    sinks: sinks(context),
    vitals: vitals(context, { ...sourceStreams(context), ...ledger(context) }),
    async ping() {
      context.checkOpen()
      return 0
    },
    async close() {
      context.close()
    },
  }
}
