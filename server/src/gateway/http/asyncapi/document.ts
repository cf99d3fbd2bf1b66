/** Socket.IO and the plain WebSockets as an AsyncAPI 3 document, from the hub's side: it receives what clients send, and replies. */
import { CATALOGUE, dataName, named } from '@hubbub/protocol/catalogue'
import { VERSION } from '../../../version.js'
import { okWith, type Schema } from '../endpoint.js'
import { CURSOR, EVENT } from '../endpoints/samples.js'
import { schemas } from '../openapi/document.js'
import { sample } from '../openapi/sample.js'
import { CLIENT_WORDS, HUB_WORDS, type HubWord } from './messages.js'

interface Message {
  name: string
  title: string
  summary: string
  payload: Schema
  examples?: { name?: string; payload: unknown }[]
}

interface Ref {
  $ref: string
}

export interface AsyncApi {
  asyncapi: string
  channels: Record<string, { messages?: Record<string, Ref>; [more: string]: unknown }>
  operations: Record<string, object>
  components: { messages: Record<string, Message>; schemas: Record<string, Schema> }
  [more: string]: unknown
}

const NOTHING = { type: 'null', description: 'No argument.' }
const ANSWER = 'An acknowledgement has one argument: `{ ok: true, ... }`, or `{ ok: false, error }`.'

export function asyncApi(): AsyncApi {
  const messages: Record<string, Message> = { ...clientMessages(), ...hubMessages(), ...eventMessages() }
  const inSocket = Object.fromEntries(Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }]))
  return {
    asyncapi: '3.0.0',
    info: { title: 'Hubbub', version: VERSION, license: { name: 'MIT' }, description: 'A real-time hub for fleets of AI agents: its messages over Socket.IO, and the plain WebSockets. HTTP: /api/openapi.json.' },
    defaultContentType: 'application/json',
    servers: {
      socketio: { ...HOST, protocol: 'socket.io', protocolVersion: '5', pathname: '/socket.io/', description: 'Socket.IO 4 (engine.io protocol 4), WebSocket or long-polling; the credential in `auth: { token | apiKey, project?, compress? }`. With `compress: "gzip"` the data of large events comes as base64 of its gzip, and `metadata.compressed` says so.' },
      websocket: { ...HOST, protocol: 'ws', description: 'For clients without Socket.IO; the credential in the query, a header, or the first message.' },
    },
    channels: {
      socket: { address: '/', title: 'The default namespace', description: ANSWER, servers: [{ $ref: '#/servers/socketio' }], messages: inSocket },
      ...webSockets(),
    },
    operations: operations(Object.keys(messages).filter((key) => key.startsWith('event.'))),
    components: { messages, schemas: schemas() },
  }
}

const HOST = { host: '{host}', variables: { host: { default: '127.0.0.1:4000', description: 'Where the hub listens.' } } }

function webSockets(): AsyncApi['channels'] {
  const servers = [{ $ref: '#/servers/websocket' }]
  return {
    ws: { address: '/ws', title: 'Plain WebSocket', description: 'Events of topics that the client subscribes to, as JSON texts; `?dialect=` chooses another of the message formats.', servers },
    wsTask: { address: '/ws/tasks/{taskId}', title: 'One task', description: 'Events of one task, from the moment it is open.', parameters: { taskId: { description: 'The task\'s id.' } }, servers },
    wsProject: { address: '/ws/{project}', title: 'One project', description: 'Events of the project that the address names.', parameters: { project: { description: 'One of the credential\'s projects.' } }, servers },
  }
}

function clientMessages(): Record<string, Message> {
  const all: Record<string, Message> = {}
  for (const [name, { about, payload = NOTHING, answer = {}, example = null, answered }] of Object.entries(CLIENT_WORDS)) {
    all[`client.${name}`] = { name, title: name, summary: about, payload, examples: [{ payload: example }] }
    all[`answer.${name}`] = { name: `${name} answered`, title: `${name}, answered`, summary: ANSWER, payload: { oneOf: [okWith(answer), named('FailureAnswer')] }, examples: [{ payload: { ok: true, ...answered } }] }
  }
  return all
}

function hubMessages(): Record<string, Message> {
  const all: Record<string, Message> = {}
  for (const [name, word] of Object.entries(HUB_WORDS)) {
    all[`hub.${name}`] = { name, title: name, summary: word.about, payload: tuple(word.arguments), examples: [{ payload: word.example }] }
    if (word.answer) all[`acknowledged.${name}`] = acknowledged(name, word)
  }
  return all
}

function acknowledged(name: string, { answer = {} }: HubWord): Message {
  return { name: `${name} acknowledged`, title: `${name}, acknowledged`, summary: 'What the client answers.', payload: answer, examples: [{ payload: { ok: true, result: { branch: 'fix/7' } } }] }
}

/** One of each type of the catalogue; of the two open families with a name made up. */
function eventMessages(): Record<string, Message> {
  return Object.fromEntries(CATALOGUE.map(({ type, about, schema }) => {
    const name = type.replace(/\{\w+\}$/, 'name')
    const event = type === name ? { properties: { type: { const: type }, data: named(dataName(type)) } } : { properties: { type: { type: 'string', pattern: `^${type.slice(0, type.indexOf('.'))}\\.` }, data: named(dataName(type)) } }
    const shown = { ...EVENT, type: name, data: sample(schema) }
    return [`event.${dataName(type).slice('data.'.length)}`, { name: type, title: type, summary: about, payload: tuple([{ allOf: [named('HubEvent'), event] }, named('Cursor')]), examples: [{ payload: [shown, CURSOR] }] }]
  }))
}

/** The arguments of a message, in order. */
function tuple(items: readonly Schema[]): Schema {
  return { type: 'array', items, minItems: items.length, maxItems: items.length }
}

function operations(events: readonly string[]): Record<string, object> {
  const channel = { $ref: '#/channels/socket' }
  const ref = (key: string) => ({ $ref: `#/channels/socket/messages/${key}` })
  const all: Record<string, object> = {}
  for (const [name, { about }] of Object.entries(CLIENT_WORDS)) all[`client.${name}`] = { action: 'receive', channel, summary: about, messages: [ref(`client.${name}`)], reply: { channel, messages: [ref(`answer.${name}`)] } }
  for (const [name, { about, answer }] of Object.entries(HUB_WORDS)) {
    all[`hub.${name}`] = { action: 'send', channel, summary: about, messages: [ref(`hub.${name}`)], ...(answer && { reply: { channel, messages: [ref(`acknowledged.${name}`)] } }) }
  }
  all['events'] = { action: 'send', channel, summary: 'Events of live subscriptions: `(event, cursor)`, in journal order, each once.', messages: events.map(ref) }
  return all
}
