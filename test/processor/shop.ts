/** A project at work without gateways: what producers say goes through intake and processor, what became of it is read from the store. */
import type { Entities, HubEvent, Kind as EntityKind, PublishResult } from '@hubbub/protocol'
import type { Identity, Role } from '../../server/src/access/identity.js'
import { createIntake, type Intake } from '../../server/src/intake/intake.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import type { Processor } from '../../server/src/processor/processor.js'
import type { Settings } from '../../server/src/settings/table.js'
import { eventually } from '../harness/eventually.js'
import { openStage, type Kind, type Stage } from './stage.js'

export type Data = Record<string, unknown>

export interface Shop {
  stage: Stage
  intake: Intake
  processor: Processor
  /** Publishes as an agent, a service (`service:NAME`), or what only the hub says (`hub`); rejects with the refusal. */
  say(who: string, type: string, data: Data, more?: Data): Promise<PublishResult>
  /** Creates a managed task. */
  order(taskId: string, more?: Data): Promise<PublishResult>
  /** Registers an agent that counts as there. */
  hire(agentId: string, more?: Data): Promise<void>
  find<K extends EntityKind>(kind: K, id: string): Promise<Entities[K] | undefined>
  /** Waits until the entity is as asked. */
  until<K extends EntityKind>(kind: K, id: string, is: (entity: Entities[K]) => unknown): Promise<Entities[K]>
  journal(): Promise<HubEvent[]>
  /** Mail of an agent, oldest first. */
  mail(agentId: string): Promise<HubEvent<Data>[]>
  types(taskId?: string): Promise<string[]>
  /** The same people in another project of the same hub. */
  at(project: string): Shop
  close(): Promise<void>
}

export async function openShop(kind: Kind = 'memory', overrides: Partial<Settings> = {}): Promise<Shop> {
  const stage = await openStage(kind, overrides)
  const intake = await createIntake({ store: stage.store, settings: stage.settings, metrics: createMetrics(), log: silent, worker: 'w1', may: () => true })
  const processor = stage.processor('p1')
  await processor.start()

  return shopIn('default', stage, intake, processor)
}

function shopIn(project: string, stage: Stage, intake: Intake, processor: Processor): Shop {
  const identityOf = (who: string): Identity => ({ ...personOf(who), project, projects: ['*'], permissions: ['admin'], via: 'jwt' })
  const shop: Shop = {
    stage,
    intake,
    processor,
    async say(who, type, data, more = {}) {
      if (who === 'hub') return await intake.announce(identityOf('service:hub'), { type, data, ...more })
      const [answer] = await intake.publish(identityOf(who), [{ type, data, ...more }], { ack: 'committed', client: who })
      if (!answer!.ok) throw Object.assign(new Error(`${answer!.error.code}: ${answer!.error.message}`), { code: answer!.error.code, details: answer!.error.details })
      return answer!
    },
    order: (taskId, more) => shop.say('hub', 'task.created', { taskId, managed: true, ...more }),
    async hire(agentId, more) {
      await intake.announce(identityOf(agentId), { type: 'agent.registered', data: { agentId, capabilities: [], ...more } })
    },
    async find(kind, id) {
      const { entities } = await stage.store.state.select(0, project, [{ kind, ids: [id] }], { count: 1, bytes: 1_000_000 })
      return entities[0] && (JSON.parse(entities[0].json) as never)
    },
    until: (kind, id, is) =>
      eventually(async () => {
        const entity = await shop.find(kind, id)
        return entity && is(entity) ? entity : false
      }, `${kind} ${id} as wanted`),
    journal: () => stage.journal(),
    async mail(agentId) {
      return (await stage.journal()).filter(({ topics }) => topics.includes(`inbox:${agentId}`)) as HubEvent<Data>[]
    },
    async types(taskId) {
      const events = await stage.journal()
      return events.filter(({ data }) => taskId === undefined || (data as Data | null)?.['taskId'] === taskId).map(({ type }) => type)
    },
    at: (other) => shopIn(other, stage, intake, processor),
    async close() {
      await intake.close()
      await stage.close()
    },
  }
  return shop
}

function personOf(who: string): { role: Role; subject: string } {
  return who.startsWith('service:') ? { role: 'service', subject: who.slice('service:'.length) } : { role: 'agent', subject: who }
}
