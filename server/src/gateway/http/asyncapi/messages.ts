/** The messages of Socket.IO, both ways: what each means, holds and is answered, and one that works. */
import type { ClientMessage } from '@hubbub/protocol'
import { named, REQUEST_SHAPES } from '@hubbub/protocol/catalogue'
import type { Schema } from '../endpoint.js'
import { CURSOR, EVENT } from '../endpoints/samples.js'

export interface ClientWord {
  about: string
  /** Its one argument; absent: none. */
  payload?: Schema
  /** Besides `ok: true`. */
  answer?: Schema
  /** Absent: sent without an argument. */
  example?: unknown
  answered: object
}

export interface HubWord {
  about: string
  /** Its arguments, in order. */
  arguments: readonly Schema[]
  /** What it is acknowledged with. */
  answer?: Schema
  example: readonly unknown[]
}

const Text = { type: 'string' }
const Event = { allOf: [named('EventInput'), { properties: { ack: { enum: ['committed', 'accepted'] } } }] }
const Health = { type: 'object', required: ['status', 'role', 'uptimeSeconds', 'store'], properties: { status: { enum: ['healthy', 'degraded'] }, role: Text, node: Text, uptimeSeconds: { type: 'integer' }, store: { type: 'object' } } }

/** Complete: a message without a word here does not compile. */
export const CLIENT_WORDS: Readonly<Record<ClientMessage, ClientWord>> = {
  subscribe: {
    about: 'Events of topics from now on, or since a cursor; with `snapshot` the state first. Backfill travels in answers, live events in messages.',
    payload: REQUEST_SHAPES.subscribe, answer: named('SubscribeResult'), example: { topics: ['task:*', 'agent:coder-1'], types: ['task.*'], since: '10m' },
    answered: { subscriptionId: 's1', topics: ['task:*', 'agent:coder-1'], activeSubscriptions: 1, cursor: CURSOR, events: [{ event: EVENT, cursor: CURSOR }], more: false },
  },
  unsubscribe: { about: 'By id, or by exactly the topics; `{}` drops all.', payload: REQUEST_SHAPES.unsubscribe, answer: named('UnsubscribeResult'), example: {}, answered: { activeSubscriptions: 0 } },
  publish: {
    about: 'One event, or a list; answered when the commit stands in the journal.', payload: { anyOf: [Event, { type: 'array', items: named('EventInput') }] },
    answer: { anyOf: [named('PublishResult'), { type: 'object', required: ['results'], properties: { results: { type: 'array' } } }] },
    example: { id: 'e-2', type: 'task.progress', data: { taskId: 'T-1', progress: 60 } }, answered: { id: 'e-2', type: 'task.progress', offset: '1795255450120-0', taskId: 'T-1', progress: 60 },
  },
  signal: { about: 'To whoever is subscribed to a topic now; neither stored nor replayed.', payload: REQUEST_SHAPES.signal, example: { topic: 'task:T-1', name: 'look', data: { line: 7 } }, answered: {} },
  'auth.refresh': {
    about: 'A new credential of the same subject, in place.', payload: { type: 'object', properties: { token: Text, apiKey: Text } }, answer: { type: 'object', properties: { expiresAt: { type: 'integer', description: 'ms since the epoch' } } },
    example: { token: 'TOKEN' }, answered: { expiresAt: 1_795_259_050_000 },
  },
  snapshot: { about: 'The state of what topics name, and the cursor at which it holds.', payload: REQUEST_SHAPES.snapshot, answer: named('SnapshotResult'), example: { topics: ['pipeline:P-1'] }, answered: { cursor: CURSOR, entities: [] } },
  'agent.register': {
    about: 'Makes an agent known: what it is, what it can do, how many tasks it takes at once.', payload: REQUEST_SHAPES['agent.register'], answer: named('AgentRegistered'),
    example: { agentId: 'coder-1', agentType: 'coder', capabilities: ['test'], maxTasks: 2 },
    answered: { agentId: 'coder-1', status: 'registered', registeredAt: '2026-11-21T10:00:00.000Z', permissions: ['publish:agent.*'], heartbeat: { intervalMs: 30_000, staleMs: 90_000, offlineMs: 120_000 } },
  },
  command: {
    about: 'Asks one executor of the project, or the hub, to do something.', payload: REQUEST_SHAPES.command, answer: named('CommandResult'), example: { command: 'git.create_branch', payload: { name: 'fix/7', taskId: 'T-1' }, timeoutMs: 10_000 },
    answered: { commandId: '9f0c6d1e-8a53-4c7e-9f0a-0d7e5b1c2a3f', result: { branch: 'fix/7' } },
  },
  'command.handle': {
    about: 'Makes this connection an executor of these commands, instead of those before.', payload: REQUEST_SHAPES['command.handle'], answer: named('HandleResult'), example: { commands: ['create_branch'] }, answered: { commands: ['git.create_branch'] },
  },
  broadcast: {
    about: 'A signal to connected agents, chosen by type, capability or what they watch.', payload: REQUEST_SHAPES.broadcast, answer: named('BroadcastResult'), example: { name: 'pause', data: { forMs: 5000 }, to: { capabilities: ['test'] } }, answered: { reached: 2, complete: true },
  },
  presence: {
    about: 'Who watches a topic now; and, unless `watch` is false, later changes as signals `presence.changed`.', payload: REQUEST_SHAPES.presence, answer: named('PresenceResult'), example: { topic: 'task:T-1' },
    answered: { topic: 'task:T-1', watchers: [{ subject: 'ann', role: 'viewer', since: '2026-11-21T10:20:00.000Z' }] },
  },
  'system.health_check': { about: 'How this worker is.', answer: Health, answered: { status: 'healthy', role: 'all', uptimeSeconds: 4, store: { kind: 'redis', ok: true, pingMs: 1 } } },
}

const FAILURE = { code: 'AUTH_TOKEN_EXPIRED', message: 'The token has expired.', retryable: false }
const GAP = { from: CURSOR, to: '4kQ0.1795255460000-0', reason: 'trimmed' }

/** Besides the types of events, which come as `(event, cursor)`. */
export const HUB_WORDS: Readonly<Record<string, HubWord>> = {
  'hub.cursor': { about: 'Everything up to here was sent.', arguments: [named('Cursor')], example: [CURSOR] },
  gap: { about: 'Events between two cursors can no longer be had.', arguments: [named('Gap'), named('Cursor')], example: [GAP, GAP.to] },
  events: {
    about: 'Live events of subscriptions with `batchMs` or `latestOnly`, gathered.', arguments: [{ type: 'array', items: named('PlacedEvent') }, named('Cursor')], example: [[{ event: EVENT, cursor: CURSOR }], CURSOR],
  },
  signal: { about: 'From `signal`, `broadcast` and `presence`.', arguments: [named('Signal')], example: [{ topic: 'task:T-1', name: 'look', data: { line: 7 }, source: '/services/engine', timestamp: 1_795_255_450_000 }] },
  'hub.error': { about: 'A refused message without an acknowledgement, or why the connection is about to be closed.', arguments: [named('Failure')], example: [FAILURE] },
  'hub.draining': { about: 'The worker stops: when to connect again, and when the connection is closed at the latest.', arguments: [named('Draining')], example: [{ reconnectInMs: 1840, deadlineMs: 1940 }] },
  command: {
    about: 'An executor is asked; it acknowledges.', arguments: [named('CommandCall')], answer: REQUEST_SHAPES['command.answer'],
    example: [{ commandId: '9f0c6d1e-8a53-4c7e-9f0a-0d7e5b1c2a3f', command: 'git.create_branch', payload: { name: 'fix/7' }, by: '/services/engine', timeoutMs: 30_000 }],
  },
}
