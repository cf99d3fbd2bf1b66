import { HubError, type EventInput } from '@hubbub/protocol'
import { normalise } from '@hubbub/protocol/catalogue'
import type { Identity } from '../../server/src/access/identity.js'
import { requireOwnVoice, signed } from '../../server/src/intake/speaker.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { coder, engine, operator, viewer } from './people.js'

const limits = settingsWith()

function say(identity: Identity, input: unknown) {
  const event = normalise(signed(identity, input), limits)
  requireOwnVoice(identity, event)
  return event
}

function codeOf(identity: Identity, input: EventInput): string {
  try {
    say(identity, input)
    return 'said'
  } catch (error) {
    return error instanceof HubError ? error.code : String(error)
  }
}

/** Verbatim data of another protocol. */
function message(agentId?: string | string[]): EventInput {
  return { type: 'agui.text_message_content', data: { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'a', ...(agentId ? { agentId } : {}) } }
}

describe('what an agent leaves out', () => {
  test.each([
    ['agent.status_changed', { type: 'agent.status_changed', data: { status: 'busy' } }],
    ['an alias', { type: 'agent:status_update', data: { status: 'busy' } }],
    ['the old outer form', { event_type: 'agent_status', payload: { status: 'busy' } }],
    ['a type whose topics name the agent', { type: 'task.progress', data: { taskId: 't', progress: 1 } }],
    ['no data at all', { type: 'agent.heartbeat' }],
  ])('is filled in: %s', (_, input) => {
    expect(say(coder, input).data).toMatchObject({ agentId: 'coder' })
  })

  test('is the giver of a handoff', () => {
    const handoff = { type: 'agent.handoff', data: { toAgent: 'reviewer', taskId: 't' } }
    expect(say(coder, handoff).data).toMatchObject({ fromAgent: 'coder', toAgent: 'reviewer' })
  })

  test('is left out of data that is carried verbatim', () => {
    expect(say(coder, message()).data).toEqual(message().data)
    expect(say(coder, { type: 'custom.note', data: { a: 1 } }).data).toEqual({ a: 1 })
  })

  test('is not filled in for anybody else, and the input stays as it was', () => {
    const input = { type: 'task.progress', data: { taskId: 't', progress: 1 } }
    expect(say(engine, input).data).toEqual(input.data)
    say(coder, input)
    expect(input).toEqual({ type: 'task.progress', data: { taskId: 't', progress: 1 } })
  })
})

describe('an agent that speaks for another', () => {
  test.each<[string, EventInput]>([
    ['by agentId', { type: 'agent.log', data: { agentId: 'reviewer', level: 'info', message: 'm' } }],
    ['by the old spelling', { type: 'agent_log', data: { agent_id: 'reviewer', level: 'info', message: 'm' } }],
    ['by a task\'s agent', { type: 'task.progress', data: { taskId: 't', progress: 1, agentId: 'reviewer' } }],
    ['by a handoff in its name', { type: 'agent.handoff', data: { fromAgent: 'reviewer', toAgent: 'coder', taskId: 't' } }],
    ['by an AG-UI event that names it', message('reviewer')],
    ['by a list of names', message(['coder', 'reviewer'])],
    ['by its topic', { type: 'custom.note', data: {}, topics: ['agent:reviewer'] }],
  ])('is refused: %s', (_, input) => {
    expect(codeOf(coder, input)).toBe('INSUFFICIENT_PERMISSIONS')
  })

  test('is nobody with a service\'s token', () => {
    expect(codeOf(engine, { type: 'agent.log', data: { agentId: 'reviewer', level: 'info', message: 'm' }, topics: ['agent:coder'] })).toBe('said')
  })
})

describe('mail', () => {
  const mail = { type: 'custom.note', data: {}, topics: ['inbox:coder'] }

  test.each([['another user', viewer], ['an agent, even to itself', coder]])('is not put into a mailbox by %s', (_, identity) => {
    expect(codeOf(identity, mail)).toBe('INSUFFICIENT_PERMISSIONS')
  })

  test.each([['a service', engine], ['an admin', operator]])('may come from %s', (_, identity) => {
    expect(codeOf(identity, mail)).toBe('said')
  })
})
