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
    // With time of its own: Sentinels or a Cluster are asked first where the masters are.
    await context.nodes.masters('establish')
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
      // A Cluster of which one node fails serves the other partitions: out of reach is what has no node left that answers.
      const masters = await context.nodes.masters('ping')
      await Promise.any(masters.map((master) => master.call('ping', (client) => client.ping()))).catch(({ errors }: AggregateError) => Promise.reject(errors[0]))
      return performance.now() - begun
    },
    close: () => context.close(),
  }
}
