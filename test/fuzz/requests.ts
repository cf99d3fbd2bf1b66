/** HTTP requests to a hub over real sockets: every address that takes input, with heads, queries and bodies that are nearly right. */
import { createHmac } from 'node:crypto'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { isFailureCode } from '@hubbub/protocol'
import type { Random } from '../faults/random.js'
import { token } from '../harness/token.js'
import { EVENTS, someEvent } from './corpus.js'
import { anyBytes, mutateBytes, mutateJson, mutateText, strangeText } from './mutate.js'
import type { Outcomes } from './outcomes.js'
import { shown } from './report.js'
import { GITHUB_SECRET } from './siege.js'
import { asText, PASSING, someDelivery, someQuery } from './targets.js'

export interface Shot {
  gateway: string
  method: string
  path: string
  headers: Record<string, string>
  body?: Buffer
}

const SERVICE = token({ sub: 'fuzz-http', role: 'service' })
/** Most of what is sent is to get further than the door. */
const TOKENS = [SERVICE, SERVICE, SERVICE, token({ sub: 'fuzz-agent', role: 'agent' }), token({ sub: 'fuzz-viewer', role: 'viewer' })]
/** Longer answers, as of a stream, are left. */
const PATIENCE_MS = 3000
const JSON_TYPE = { 'content-type': 'application/json' }

/** What a header or a path may hold on the wire: the rest is `rawShot`'s. */
const latin = (text: string) => text.replaceAll(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character.replaceAll(/\p{Cs}/gu, '?'))).slice(0, 2000)

export function someRequest(random: Random): Shot {
  const auth = random.chance(0.95) ? { authorization: `Bearer ${random.pick(TOKENS)}` } : { authorization: latin(mutateText(random, `Bearer ${TOKENS[0]}`)) }
  const json = (gateway: string, path: string, value: unknown, method = 'POST'): Shot => {
    const text = asText(random, value)
    const body = random.chance(0.05) ? mutateBytes(random, text) : random.chance(0.02) ? anyBytes(random) : Buffer.from(text)
    const encoded = random.chance(0.05) ? gzipSync(body) : body
    const encoding: Record<string, string> = random.chance(0.05) || encoded !== body ? { 'content-encoding': random.pick(['gzip', 'gzip', 'deflate', 'br', 'identity', 'x']) } : {}
    return { gateway, method, path, headers: { ...auth, ...JSON_TYPE, ...encoding }, body: encoded }
  }
  const get = (gateway: string, path: string): Shot => ({ gateway, method: 'GET', path: latin(path), headers: auth })
  const id = random.chance(0.7) ? 'T-1' : encodeURIComponent(strangeText(random).replaceAll(/\p{Cs}/gu, '').slice(0, 300))
  switch (random.integer(0, 13)) {
    case 0: case 1: case 2:
      return json('POST /events', `/api/v1/events${random.chance(0.1) ? `?ack=${latin(strangeText(random))}` : ''}`, random.chance(0.2) ? Array.from({ length: random.integer(0, 4) }, () => someEvent(random)) : someEvent(random))
    case 3:
      return { ...json('CloudEvents', '/api/v1/events', someEvent(random)), headers: { ...auth, ...cloudHeaders(random) } }
    case 4:
      return get('GET queries', `/api/v1/history?${someQuery(random).replaceAll(/wait=\d+/g, 'wait=0')}`)
    case 5:
      return get('GET queries', `/api/v1/${random.pick(['snapshot', 'tasks', 'agents', 'pipelines', 'runs', 'streams', 'checkpoints', 'presence', `tasks/${id}`, `runs/${id}`, `events/${id}/trace`, 'tasks/export'])}?${someQuery(random)}`)
    case 6:
      return { ...get('GET /stream', `/api/v1/stream?${someQuery(random)}`), headers: { ...auth, ...(random.chance(0.3) && { 'last-event-id': latin(mutateText(random, 'ep.1-0')) }) } }
    case 7: case 8:
      return webhook(random)
    case 9:
      return json('AG-UI runs', `/api/v1/runs/${id}/events`, random.chance(0.5) ? mutateJson(random, EVENTS.filter(({ type }) => type.startsWith('agui.')).map(({ data }) => data).slice(0, 5)) : mutateJson(random, random.pick(EVENTS).data))
    case 10:
      return random.chance(0.5) ? json('AG-UI runs', `/api/v1/runs/${id}/agui?from=${random.pick(['start', 'snapshot', 'x'])}`, mutateJson(random, { messages: [{ id: 'm', role: 'user', content: 'x' }], state: {} })) : json('POST /tasks', '/api/v1/tasks', mutateJson(random, { id: `t${random.integer(0, 1000)}`, type: 'test', requires: ['nobody'] }))
    case 11:
      return json('HTTP calls', `/api/v1/${random.pick(['signals', 'broadcasts', 'commands', 'agents'])}`, mutateJson(random, { topic: 'task:T-1', name: 'go', command: 'task.pause', data: 1, payload: { taskId: 'T-1' }, timeoutMs: 100, agentType: 'coder', capabilities: ['nothing'] }))
    case 12:
      return json('POST /tasks', `/api/v1/tasks/${id}${random.pick(['', '/cancel', '/result', '/wait'])}`, mutateJson(random, { priority: 1, reason: 'x', leaseToken: '1', result: {}, timeoutMs: 100 }), random.pick(['POST', 'PATCH', 'PUT']))
    default:
      return { gateway: 'paths, credentials', method: random.pick(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']), path: `/${latin(mutateText(random, random.pick(['api/v1/events', 'socket.io/?EIO=4&transport=polling', 'ws', 'health/ready', 'webhooks/github/default', 'api/openapi.json', '../..', 'tasks?token=a.b.c'])))}`, headers: { ...auth, cookie: latin(mutateText(random, 'hubbub_token=a.b.c')) } }
  }
}

function cloudHeaders(random: Random): Record<string, string> {
  const whole: Record<string, string> = { 'content-type': random.pick(['application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json', 'text/plain', 'application/cloudevents+avro', '']), 'ce-specversion': '1.0', 'ce-id': `c${random.integer(0, 1e6)}`, 'ce-source': '/x', 'ce-type': 'custom.cloud', 'ce-time': '2026-03-01T10:00:00Z' }
  const name = random.pick(Object.keys(whole))
  return { ...whole, [name]: latin(mutateText(random, whole[name]!)) }
}

/** Signed as GitHub does, mostly: what is behind the signature is to be reached. */
function webhook(random: Random): Shot {
  const { name, payload } = someDelivery(random)
  const body = random.chance(0.1) ? mutateBytes(random, JSON.stringify(payload)) : Buffer.from(JSON.stringify(payload) ?? '')
  const signature = `sha256=${createHmac('sha256', GITHUB_SECRET).update(body).digest('hex')}`
  const headers = { ...JSON_TYPE, 'x-github-event': name, 'x-github-delivery': `d-${random.integer(0, 2 ** 31)}`, 'x-hub-signature-256': signature }
  const wrong = random.chance(0.1) ? { [random.pick(Object.keys(headers))]: latin(strangeText(random)) } : {}
  return { gateway: 'POST /webhooks/github', method: 'POST', path: random.chance(0.95) ? '/webhooks/github' : `/webhooks/github/${latin(strangeText(random))}`, headers: { ...headers, ...wrong }, body }
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
export const closeRequests = () => agent.destroy()

/** Counts its outcome: a failure's code; `accepted`; what it is as HTTP, where it is not the hub that answers. A 5xx that is none of its codes is a finding. */
export function fire(url: string, shot: Shot, outcomes: Outcomes, seed: number): Promise<void> {
  return new Promise((resolve) => {
    let settledAs: string | undefined
    const settle = (outcome: string): void => {
      if (settledAs !== undefined) return
      settledAs = outcome
      clearTimeout(timer)
      outcomes.count(shot.gateway, outcome)
      resolve()
    }
    const { hostname, port } = new URL(url)
    let asked: ReturnType<typeof request>
    try {
      asked = request({ hostname, port, agent, method: shot.method, path: shot.path, headers: { ...shot.headers, ...(shot.body && { 'content-length': String(shot.body.length) }) } })
    } catch (error) {
      // Node itself would not send it.
      outcomes.count(shot.gateway, 'not sendable')
      return resolve(void error)
    }
    const timer = setTimeout(() => {
      settle('accepted')
      asked.destroy()
    }, PATIENCE_MS)
    asked.on('response', (response) => {
      const status = response.statusCode ?? 0
      if (String(response.headers['content-type']).startsWith('text/event-stream')) {
        settle('accepted')
        return asked.destroy()
      }
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(0, 100_000)))
      response.on('end', () => {
        const code = status >= 400 ? /"code":"([A-Z_]+)"/.exec(text)?.[1] : undefined
        const bad = code === 'INTERNAL_ERROR' || (status >= 500 && !(code !== undefined && PASSING.has(code))) || (code !== undefined && !isFailureCode(code))
        if (bad) outcomes.find({ gateway: shot.gateway, what: `answered ${status} ${code ?? text.slice(0, 200)}`, seed, input: shown({ ...shot, body: shot.body?.toString() }) })
        settle(code ?? (status < 400 ? 'accepted' : `HTTP ${status}`))
      })
      response.on('error', () => settle('cut off'))
    })
    asked.on('error', () => settle('cut off'))
    asked.end(shot.body)
  })
}

const HEADS = ['GET /api/v1/history?topics=* HTTP/1.1\r\nHost: x\r\n\r\n', 'POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}', 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n', 'POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n40x\r\n0\r\n\r\n', 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n']

/** Bytes that are nearly a request, or none. */
export function fireRaw(url: string, random: Random, outcomes: Outcomes): Promise<void> {
  const { hostname, port } = new URL(url)
  const bytes = random.chance(0.2) ? anyBytes(random, 400) : random.chance(0.5) ? mutateBytes(random, random.pick(HEADS)) : Buffer.from(mutateText(random, random.pick(HEADS)))
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    let status = ''
    // Whoever waits for the rest of it is let wait.
    socket.setTimeout(1000, () => socket.destroy())
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (part) => {
      status ||= /^HTTP\/1\.[01] (\d{3})/.exec(part.toString('latin1'))?.[1] ?? 'bytes'
      if (status === '500') outcomes.find({ gateway: 'raw TCP', what: 'answered 500', input: bytes.toString('latin1') })
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      outcomes.count('raw TCP', status === '' ? 'no answer' : `HTTP ${status}`)
      resolve()
    })
  })
}
