/** The store on Redis: one object, its parts side by side in this folder. */
import type { StoreOptions } from '../options.js'
import type { Store } from '../port.js'
import { accessRecords } from './access.js'
import { RedisContext } from './context.js'
import { deadLetters } from './dead.js'
import { establish } from './genesis.js'
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

export async function openRedisStore(options: StoreOptions): Promise<Store> {
  let established = false
  const context: RedisContext = new RedisContext(options, () => {
    // Redis may have come back empty, or be another one.
    if (established) establish(context).catch((error: unknown) => context.report('establish', error))
  })
  try {
    await establish(context)
  } catch (error) {
    await context.close()
    throw error
  }
  established = true
  return {
    kind: 'redis',
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
    vitals: vitals(context),
    async ping() {
      const begun = performance.now()
      await context.connection.call('ping', (client) => client.ping())
      return performance.now() - begun
    },
    close: () => context.close(),
  }
}
