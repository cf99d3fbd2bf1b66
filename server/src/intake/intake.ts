/**
 * The way in: what a gateway received becomes entries of the source streams, and each publish gets its answer, when its commit
 * is in the journal (I4) or, for the cheaper promise, when it stands in the source stream.
 */
import { partitionOf, type HubError, type Answer, type EventInput, type PublishResult } from '@hubbub/protocol'
import { sourceOf, type Identity } from '../access/identity.js'
import type { Logger } from '../observe/log.js'
import { typeLabel, type Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Settings } from '../settings/table.js'
import { hubErrorOf } from '../store/failure.js'
import type { Outcome } from '../store/outcome.js'
import type { AckHints, Ledger, SourceName, SourceStreams } from '../store/port.js'
import { createAdmission, type Admitted } from './admission.js'
import { createAppender, type Appender } from './appender.js'
import { createWaiters, type Waiters } from './waiters.js'

export interface Intake {
  /** Each input answered on its own, in order. Never rejects for bad input. */
  publish(identity: Identity, inputs: readonly unknown[], options: PublishOptions): Promise<Answer<PublishResult>[]>
  /** What the hub says on an identity's behalf: may be what only the hub says. Resolves when committed; rejects with `HubError`. */
  announce(identity: Identity, input: EventInput): Promise<PublishResult>
  /**
   * A webhook's event: `once` is marked in the same atomic step as the append. `duplicate`: the delivery had been stored
   * before. Rejects with `HubError`.
   */
  deliver(project: string, source: string, input: EventInput, once: { key: string; ttlMs: number }): Promise<{ id: string; duplicate: boolean }>
  /** Drops the rate buckets of a closed connection. */
  forget(client: string): void
  /** Refuses what comes from now on, waits for appends in flight; what waits for its commit gets OUTCOME_UNKNOWN. */
  close(): Promise<void>
}

export interface PublishOptions {
  ack: 'committed' | 'accepted'
  /** Key of the rate buckets: connection id or subject. */
  client: string
  /** Instead of the one that the producer's role gives. */
  stream?: SourceName
}

export interface IntakeContext {
  store: SourceStreams & Pick<Ledger, 'seen'> & AckHints & { readonly partitions: number }
  settings: Settings
  metrics: Metrics
  witness?: Witness
  log: Logger
  /** Name of this worker: unique in the cluster, hints are addressed to it. */
  worker: string
  may: (identity: Identity, action: 'publish', type: string) => boolean
}

export async function createIntake(context: IntakeContext): Promise<Intake> {
  const { store, settings, metrics, witness, worker, may } = context
  const log = context.log.child({ part: 'intake' })
  const admission = createAdmission({ settings, may, witness })
  const timeoutMs = settings.publishTimeoutMs
  const appender = createAppender({ streams: store, queue: settings.publishQueue, timeoutMs, log })
  const waiters = await createWaiters({ store, worker, lookupMs: settings.ackLookupMs, timeoutMs, log })

  const refused = createRefusal(metrics, log)

  /** Nobody waits for its commit; where it came in is told all the same. */
  const signed = (admitted: Admitted): Admitted => ({ ...admitted, append: { ...admitted.append, worker } })
  const { accept, commit } = createEntries({ appender, waiters, metrics, worker })

  return {
    publish(identity, inputs, options) {
      const partition = partitionOf(identity.project, store.partitions)
      let limited: HubError | undefined
      return Promise.all(
        inputs.map(async (input): Promise<Answer<PublishResult>> => {
          let admitted: Admitted | undefined
          try {
            // Tokens come back while a batch is gone through: an event behind a limited one must not overtake it (I1).
            if (limited) throw limited
            admitted = admission.admit(identity, input, options.client, options.stream)
            if (options.ack === 'committed') return { ok: true, ...(await commit(partition, admitted)) }
            await accept(partition, signed(admitted))
            return { ok: true, id: admitted.id, type: admitted.type }
          } catch (error) {
            const failure = refused(error)
            if (failure.code === 'RATE_LIMITED') limited = failure
            if (witness?.isOn && !admitted) witness.refused(input, identity.project, sourceOf(identity), failure)
            return { ok: false, error: failure.toJSON() }
          }
        }),
      )
    },
    async announce(identity, input) {
      try {
        return await commit(partitionOf(identity.project, store.partitions), admission.admitOwn(identity, input))
      } catch (error) {
        throw refused(error)
      }
    },
    async deliver(project, source, input, once) {
      try {
        const admitted = admission.admitDelivery({ source, project }, input)
        admitted.append.once = once
        const entry = await accept(partitionOf(project, store.partitions), signed(admitted))
        return { id: admitted.id, duplicate: entry === null }
      } catch (error) {
        throw refused(error)
      }
    },
    forget: (client) => admission.forget(client),
    async close() {
      await appender.close()
      await waiters.close()
    },
  }
}

interface EntriesParts {
  appender: Appender
  waiters: Waiters
  metrics: Metrics
  worker: string
}

/** What is admitted becomes an entry of a source stream; `commit` also waits for what becomes of it. */
function createEntries({ appender, waiters, metrics, worker }: EntriesParts) {
  const append = async (partition: number, { append: entry, bytes, type }: Admitted) => {
    const id = await appender.append(partition, entry, bytes)
    metrics.eventsIn.inc({ type: typeLabel(type) })
    metrics.bytesIn.inc(bytes)
    return id
  }

  const commit = async (partition: number, admitted: Admitted): Promise<PublishResult> => {
    const waiting = waiters.wait(partition, admitted.key)
    append(partition, { ...admitted, append: { ...admitted.append, replyTo: worker } }).catch((error: unknown) => {
      waiting.settle({ failure: hubErrorOf(error) })
    })
    const outcome = await waiting.outcome
    admitted.passage?.end(outcome)
    return resultOf(admitted, outcome)
  }

  /** Its entry stands in the source stream; null where its key had been used. */
  const accept = async (partition: number, admitted: Admitted) => {
    try {
      const id = await append(partition, admitted)
      admitted.passage?.end({ repeated: id === null })
      return id
    } catch (error) {
      admitted.passage?.end({ failure: hubErrorOf(error) })
      throw error
    }
  }

  return { accept, commit }
}

function resultOf({ id, type }: Admitted, outcome: Outcome): PublishResult {
  if ('failure' in outcome) throw outcome.failure
  const { offset, repeated } = outcome
  return repeated ? { id, type, offset, duplicate: true } : { id, type, offset }
}

function createRefusal(metrics: Metrics, log: Logger): (error: unknown) => HubError {
  return (error) => {
    const failure = hubErrorOf(error)
    if (failure !== error) log.error({ err: error, ...failure.details }, 'publishing failed')
    metrics.rejections.inc({ code: failure.code })
    return failure
  }
}
