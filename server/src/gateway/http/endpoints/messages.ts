/** What stock clients say in messages, for those without a connection. */
import { named, REQUEST_SHAPES } from '@hubbub/protocol/catalogue'
import { answered, fields, get, json, okWith, post, TEXT, type Group } from '../endpoint.js'
import { CURSOR } from './samples.js'

export const MESSAGES: Group = {
  title: 'Messages',
  access: 'as the messages of the same names',
  endpoints: [
    post('/api/v1/commands', 'Ask one connected executor, or the hub, to do something: { command, payload?, timeoutMs? }.', {
      access: 'command:COMMAND',
      body: json(REQUEST_SHAPES.command),
      answers: { 200: answered('What it answered.', okWith('CommandResult')) },
      failures: ['INVALID_MESSAGE', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS', 'NO_EXECUTOR', 'COMMAND_FAILED', 'COMMAND_TIMEOUT', 'EXECUTOR_LOST'],
      example: { body: { command: 'git.create_branch', payload: { name: 'fix/7', taskId: 'T-1' }, timeoutMs: 10_000 }, answer: { ok: true, commandId: '9f0c6d1e-8a53-4c7e-9f0a-0d7e5b1c2a3f', result: { branch: 'fix/7' } } },
    }),
    post('/api/v1/signals', 'Tell whoever is subscribed to a topic now; neither stored nor replayed.', {
      access: 'signal:TOPIC',
      body: json(REQUEST_SHAPES.signal),
      answers: { 202: answered('It was handed on.', fields({})) },
      failures: ['INVALID_MESSAGE', 'INVALID_TOPIC', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS'],
      example: { body: { topic: 'task:T-1', name: 'look', data: { line: 7 } }, status: 202, answer: { ok: true } },
    }),
    post('/api/v1/broadcasts', 'Tell connected agents, chosen by type, capability or what they watch, and count them.', {
      access: 'signal:project',
      body: json(REQUEST_SHAPES.broadcast),
      answers: { 200: answered('So many were reached.', okWith('BroadcastResult')) },
      failures: ['INVALID_MESSAGE', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS'],
      example: { body: { name: 'pause', data: { forMs: 5000 }, to: { capabilities: ['test'] } }, answer: { ok: true, reached: 2, complete: true } },
    }),
    get('/api/v1/presence', 'Who watches a topic now. Asking so watches nothing itself.', {
      access: 'subscribe:TOPIC',
      query: { topic: { about: 'One topic, no pattern, no inbox.', schema: TEXT, required: true } },
      answers: { 200: answered('By when they came.', okWith('PresenceResult')) },
      failures: ['INVALID_TOPIC', 'INSUFFICIENT_PERMISSIONS'],
      example: { query: { topic: 'task:T-1' }, answer: { ok: true, topic: 'task:T-1', watchers: [{ subject: 'ann', role: 'viewer', since: '2026-11-21T10:20:00.000Z' }] } },
    }),
    post('/api/v1/agents', 'Register an agent; mailCursor is where its unread mail begins.', {
      access: 'publish:agent.registered; the agent itself, services and admins',
      body: json(REQUEST_SHAPES['agent.register'], true),
      answers: {
        201: answered(
          'It is registered. It reads its mail as the history of `inbox:ID` from `mailCursor`; what it asks on from counts as taken.',
          okWith('AgentRegistered', { properties: { mailCursor: named('Cursor'), mailGap: named('Gap') } }), { Location: 'Its address.' },
        ),
      },
      failures: ['INVALID_MESSAGE', 'INSUFFICIENT_PERMISSIONS', 'AGENT_NOT_IDENTIFIED', 'DUPLICATE_AGENT', 'OUTCOME_UNKNOWN'],
      example: {
        as: 'agent', body: { agentType: 'coder', capabilities: ['test'], maxTasks: 2 }, status: 201,
        answer: {
          ok: true, agentId: 'coder-1', status: 'registered', registeredAt: '2026-11-21T10:00:00.000Z', permissions: ['subscribe:*', 'publish:agent.*'], heartbeat: { intervalMs: 30_000, staleMs: 90_000, offlineMs: 120_000 }, mailCursor: CURSOR,
        },
      },
    }),
  ],
}
