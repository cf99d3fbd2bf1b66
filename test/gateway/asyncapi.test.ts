/** The AsyncAPI document: valid by the official schema, complete, and true: each client message's example is sent over a real socket. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv, type AnySchemaObject } from 'ajv'
import { CLIENT_MESSAGES, HUB_MESSAGES } from '@hubbub/protocol'
import { CATALOGUE, dataName } from '@hubbub/protocol/catalogue'
import { asyncApi } from '../../server/src/gateway/http/asyncapi/document.js'
import { CLIENT_WORDS } from '../../server/src/gateway/http/asyncapi/messages.js'
import { tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { startScene, type Scene } from './documentedScene.js'

const document = asyncApi()
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
ajv.addSchema(document, 'asyncapi')
const messages = Object.entries(document.components.messages)

function faults(message: string, value: unknown): unknown {
  const validate = ajv.compile({ $ref: `asyncapi#/components/messages/${message}/payload` })
  return validate(value) ? [] : validate.errors
}

describe('the AsyncAPI document', () => {
  test('is one, by the official schema of AsyncAPI 3.0.0', () => {
    const path = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json')
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(JSON.parse(readFileSync(path, 'utf8')) as AnySchemaObject)
    expect([validate(JSON.parse(JSON.stringify(document))), validate.errors]).toEqual([true, null])
  })

  test('holds every message of both sides, every type of event, and the plain WebSockets', () => {
    const names = messages.map(([name]) => name)
    expect(names.filter((name) => name.startsWith('client.'))).toEqual(expect.arrayContaining(CLIENT_MESSAGES.map((name) => `client.${name}`)))
    expect(names.filter((name) => name.startsWith('hub.')).toSorted()).toEqual(HUB_MESSAGES.map((name) => `hub.${name}`).toSorted())
    expect(names.filter((name) => name.startsWith('event.')).toSorted()).toEqual(CATALOGUE.map(({ type }) => `event.${dataName(type).slice(5)}`).toSorted())
    expect(Object.values(document.channels).map(({ address }) => address)).toEqual(['/', '/ws', '/ws/tasks/{taskId}', '/ws/{project}'])
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!)
    const found = (path: string) => path.split('/').reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], document)
    expect(refs.filter((path) => found(path) === undefined)).toEqual([])
    for (const name of names) expect([name, Object.values(document.operations).some((operation) => JSON.stringify(operation).includes(`/messages/${name}"`))]).toEqual([name, true])
  })

  test('shows examples that fit its own schemas', () => {
    for (const [name, { examples = [] }] of messages) {
      expect([name, examples.length]).toEqual([name, 1])
      for (const { payload } of examples) expect([name, faults(name, payload)]).toEqual([name, []])
    }
  })
})

describe('every documented client message', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await startScene()
  }, 60_000)
  afterAll(() => scene?.close())

  test.each(CLIENT_MESSAGES)('%s is taken as the example shows it, and answered in the documented shape', async (name) => {
    const admin = await tap(scene.url, { auth: { token: token() } })
    const { example, answered } = CLIENT_WORDS[name]
    // A credential cannot be written down.
    const argument = name === 'auth.refresh' ? { token: token() } : name === 'agent.register' ? { ...(example as object), agentId: 'coder-2' } : example
    const answer = await (argument === undefined ? admin.call(name) : admin.call(name, argument))
    expect([answer, faults(`answer.${name}`, answer)]).toEqual([expect.objectContaining({ ok: true }), []])
    expect(Object.keys(answer)).toEqual(expect.arrayContaining(Object.keys(answered)))
    admin.close()
  })

  test('brings messages of the hub that fit it, too', async () => {
    const watcher = await tap(scene.url, { auth: { token: token() } })
    await watcher.must('subscribe', { topics: ['task:T-1'] })
    const signal = new Promise<unknown[]>((resolve) => watcher.socket.once('signal', (...args: unknown[]) => resolve(args)))
    const event = new Promise<unknown[]>((resolve) => watcher.socket.once('task.progress', (...args: unknown[]) => resolve(args)))
    await scene.executor.must('publish', { type: 'task.progress', data: { taskId: 'T-1', progress: 70 } })
    await scene.executor.must('signal', { topic: 'task:T-1', name: 'look' })
    expect([faults('event.task.progress', await event), faults('hub.signal', await signal)]).toEqual([[], []])
    expect(faults('event.task.failed', await event)).not.toEqual([])
    await watcher.must('unsubscribe', {})
    await watcher.must('subscribe', { topics: ['task:T-1'], batchMs: 50 })
    const batch = new Promise<unknown[]>((resolve) => watcher.socket.once('events', (...args: unknown[]) => resolve(args)))
    await scene.executor.must('publish', { type: 'task.progress', data: { taskId: 'T-1', progress: 80 } })
    expect(faults('hub.events', await batch)).toEqual([])
    watcher.close()
  })
})
