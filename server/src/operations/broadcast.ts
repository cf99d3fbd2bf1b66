/** A signal to connected agents, chosen by what they are and what they watch; counted over all workers. */
import { HubError, type BroadcastRequest, type BroadcastResult, type Signal } from '@hubbub/protocol'
import { checkBroadcast } from '@hubbub/protocol/catalogue'
import { sourceOf, type Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'
import type { Caller } from './caller.js'
import type { Peers } from './peers.js'
import type { Roll } from './roll.js'

export interface BroadcastDeps {
  peers: Peers
  roll: Pick<Roll, 'alive' | 'hear'>
  settings: Pick<Settings, 'broadcastMs' | 'maxEventBytes' | 'maxDepth'>
}

interface Call extends Pick<BroadcastRequest, 'to' | 'exceptConnection'> {
  project: string
  signal: Signal
}

/** Between workers. */
const BROADCAST = 'broadcast'

export class Broadcasts {
  private connected: () => Iterable<Caller> = () => []

  constructor(private readonly deps: BroadcastDeps) {
    deps.peers.serve(BROADCAST, async (call: Call) => ({ reached: this.deliver(call) }))
  }

  /** @param connected whoever is connected to this worker */
  attach(connected: () => Iterable<Caller>): void {
    this.connected = connected
  }

  /** Rejects with `HubError`; an answer that is not complete counts the workers that answered in time. */
  async send(identity: Identity, input: unknown): Promise<BroadcastResult> {
    const { settings, peers, roll } = this.deps
    const { name, data = null, to, exceptConnection } = checkBroadcast(input, settings)
    if (!may(identity, 'signal', 'project')) throw new HubError('INSUFFICIENT_PERMISSIONS', 'Not permitted to broadcast.', { needed: needed('signal', 'project') })
    const signal: Signal = { topic: 'project', name, data, source: sourceOf(identity), timestamp: Date.now() }
    const call: Call = { project: identity.project, signal, to, exceptConnection }
    // A worker that started since the last beat would be left out, and nobody would know.
    await roll.hear()
    const replies = await Promise.all(peers.ask(roll.alive(), BROADCAST, call, settings.broadcastMs))
    const counts = replies.map((reply) => (reply.status === 'answered' ? (reply.answer as { reached: number }).reached : undefined))
    return { reached: counts.reduce<number>((sum, count) => sum + (count ?? 0), 0), complete: !counts.includes(undefined) }
  }

  private deliver({ project, signal, to, exceptConnection }: Call): number {
    let reached = 0
    for (const caller of this.connected()) {
      const { role, project: its } = caller.identity()
      // I6: agents of the project, and no others, whatever the filter says.
      if (role !== 'agent' || its !== project || caller.id === exceptConnection || !fits(caller, to)) continue
      caller.signal(signal)
      reached++
    }
    return reached
  }
}

function fits(caller: Caller, { agentTypes, capabilities, pipelineId, stage }: NonNullable<BroadcastRequest['to']> = {}): boolean {
  const profile = caller.profile()
  if (agentTypes && (profile.agentType === undefined || !agentTypes.includes(profile.agentType))) return false
  if (capabilities && !capabilities.some((capability) => profile.capabilities.includes(capability))) return false
  return pipelineId === undefined || caller.watches(stage === undefined ? `pipeline:${pipelineId}` : `pipeline:${pipelineId}:stage:${stage}`)
}
