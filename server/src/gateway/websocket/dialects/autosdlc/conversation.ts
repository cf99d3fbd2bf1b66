/** One client's messages in the dialect of `?dialect=autosdlc`. */
import { HubError, type PublishResult, type UnsubscribeResult } from '@hubbub/protocol'
import { hubErrorOf } from '../../../../store/failure.js'
import type { Conversation, Speaker } from '../../dialect.js'
import { fieldsOf } from '../../parse.js'
import { join } from '../joining.js'
import { said, shown } from './message.js'
import { requestIn, topicsIn } from './subscription.js'

/** The hub's own messages, for clients that want more than the dialect has. */
const MORE: ReadonlySet<string> = new Set(['publish', 'signal', 'snapshot', 'command', 'broadcast', 'presence', 'agent.register', 'system.health_check'])

interface Heard {
  type: string
  id: unknown
  data: Record<string, unknown>
}

export class AutosdlcConversation implements Conversation {
  constructor(private readonly speaker: Speaker) {}

  welcome(): void {
    const { subject, role, project, permissions, agentType, capabilities, expiresAt } = this.speaker.identity()
    this.speaker.send(said('auth_success', {
      connectionId: this.speaker.id, subject, role, project, permissions,
      ...(role === 'agent' && { agentId: subject, agentType, capabilities: capabilities ?? [] }), ...(expiresAt !== undefined && { expiresAt }), cursor: this.speaker.cursor(),
    }))
  }

  async hear(input: unknown): Promise<void> {
    const message = fieldsOf(input)
    const { type, id } = message
    if (typeof type !== 'string') throw new HubError('INVALID_MESSAGE', 'A message is { id, type, timestamp, data, metadata }.', { path: 'type' })
    const { data = {} } = message
    switch (type) {
      case 'ping':
        return this.speaker.send(said('pong', {}, id))
      case 'pong':
      // Two sides that answer errors with errors would never end.
      case 'error':
      case 'connect':
        return
      case 'disconnect':
        return this.speaker.close(1000, 'Client disconnected')
      case 'auth_request':
        return await this.renew({ type, id, data: objectIn(data) })
      case 'subscribe':
        return await this.subscribe({ type, id, data: objectIn(data) })
      case 'unsubscribe':
        return await this.unsubscribe({ type, id, data: objectIn(data) })
      default:
        if (MORE.has(type)) await this.speaker.request(type, data, (result) => this.speaker.send(said('ack', result, id)))
        else await this.publish({ ...message, type, data }, id)
    }
  }

  /** A new credential of the same subject: the connection goes on, whatever becomes of it. */
  private async renew({ id, data }: Heard): Promise<void> {
    try {
      await this.speaker.request<{ expiresAt?: number }>('auth.refresh', data, () => this.welcome())
    } catch (error) {
      this.speaker.send(said('auth_failure', hubErrorOf(error).toJSON(), id))
    }
  }

  private async subscribe({ id, data }: Heard): Promise<void> {
    const { speaker } = this
    const request = requestIn(data)
    const past = {
      snapshot: (snapshot: object) => speaker.send(said('snapshot', snapshot, id)),
      gap: (gap: object) => speaker.send(said('gap', gap, id)),
      event: ({ event, cursor }: { event: Parameters<typeof shown>[0]; cursor: string }) => speaker.send(shown(event, cursor)),
    }
    await join(speaker, request, past, ({ subscriptionId, topics, activeSubscriptions, cursor }) => {
      const { types } = request
      speaker.send(said('subscription_update', { subscriptionId, action: 'subscribed', topics, ...(types && { types }), activeSubscriptions, cursor }, id))
    })
  }

  /** By its id, by exactly its topics, or all. */
  private async unsubscribe({ id, data }: Heard): Promise<void> {
    const { subscriptionId } = data
    const topics = topicsIn(data)
    await this.speaker.request<UnsubscribeResult>('unsubscribe', { subscriptionId, ...(topics.length > 0 && { topics }) }, ({ activeSubscriptions }) => {
      const which = { ...(subscriptionId !== undefined && { subscriptionId }), ...(topics.length > 0 && { topics }) }
      this.speaker.send(said('subscription_update', { ...which, action: 'unsubscribed', activeSubscriptions, cursor: this.speaker.cursor() }, id))
    })
  }

  private async publish(input: object, id: unknown): Promise<void> {
    await this.speaker.request<PublishResult>('publish', input, (result) => this.speaker.send(said('ack', result, id)))
  }
}

function objectIn(data: unknown): Record<string, unknown> {
  return fieldsOf(data, '`data`')
}
