/** WebSockets to a hub over real sockets, Socket.IO's and the plain ones: volleys of frames, each followed by a question whose answer says that all were read. */
import { isFailureCode } from '@hubbub/protocol'
import { WebSocket } from 'ws'
import type { Random } from '../faults/random.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { RawWebSocket } from '../path/rawWebSocket.js'
import { someMessage } from './corpus.js'
import { anyBytes, anyJson, mutateBytes, mutateText, strangeText } from './mutate.js'
import type { Outcomes } from './outcomes.js'
import { settled } from './siege.js'
import { DIALECTS, someDialectMessage, somePacket } from './speakers.js'
import { asText } from './targets.js'

const TOKEN = token({ sub: 'fuzz-socket', role: 'service' })
const AGENT = token({ sub: 'fuzz-agent', role: 'agent' })
/** Frames of a volley. */
const VOLLEY = 40
const ANSWER_MS = 15_000
/** The prefixes that dialects put before the hub's codes, or words of their own. */
const WORDS: Readonly<Record<string, string>> = { WS_INVALID_MESSAGE: 'INVALID_MESSAGE', WS_INVALID_TOPIC: 'INVALID_TOPIC', WS_SUBSCRIPTION_LIMIT: 'SUBSCRIPTION_LIMIT', WS_NOT_SUBSCRIBED: 'NOT_SUBSCRIBED', WS_UNKNOWN_TYPE: 'INVALID_MESSAGE' }
/** Failures that some format tells under names of its own. */
const TOLD = /^(error|auth_failure|command_error|\w+[:_](error|rejected|failed|failure))$/

/** One volley over a new connection. Resolves when it was read, or the hub closed the connection, which it may. */
export async function volley(url: string, gateway: string, random: Random, outcomes: Outcomes, seed: number): Promise<void> {
  const isSocketIo = gateway === 'Socket.IO packets'
  const way = isSocketIo ? '/socket.io/?EIO=4&transport=websocket' : DIALECTS[gateway]!.way
  const as = random.chance(0.3) ? AGENT : TOKEN
  const socket = new WebSocket(`${url.replace('http', 'ws')}${way}${way.includes('?') ? '&' : '?'}token=${as}`, { perMessageDeflate: false })
  const codes: string[] = []
  let isThrough = false
  let isIn = !isSocketIo
  socket.on('message', (data, isBinary) => {
    const text = isBinary ? '' : (data as Buffer).toString()
    if (isSocketIo && text.startsWith('40')) isIn = true
    if (isSocketIo && text.startsWith('43999[')) return (isThrough = true)
    if (isSocketIo && text === '2') return socket.send('3')
    const code = isSocketIo ? codeOfPacket(text) : codeOfMessage(text)
    if (code === undefined) return
    codes.push(code)
    if (!isFailureCode(code) || code === 'INTERNAL_ERROR') outcomes.find({ gateway, what: `told ${code}: ${text.slice(0, 300)}`, seed })
  })
  socket.on('pong', () => (isThrough = true))
  socket.on('error', () => undefined)
  const isClosed = () => socket.readyState >= WebSocket.CLOSING
  if (!(await settled(socket))) return outcomes.count(gateway, 'not let in', 1)
  if (isSocketIo) {
    socket.send(`40${JSON.stringify(random.chance(0.8) ? { token: as } : { token: as, pid: strangeText(random), offset: 'e.1-0', project: random.pick(['default', 7]), compress: anyJson(random, 1) })}`)
    await eventually(() => isIn || isClosed(), 'the welcome', ANSWER_MS).catch(() => outcomes.find({ gateway, what: 'no welcome', seed }))
  }
  let sent = 0
  for (; sent < VOLLEY && !isClosed(); sent++) await shoot(socket, gateway, random)
  if (isSocketIo && !isClosed()) socket.send('42999["unsubscribe",{}]')
  else if (!isClosed()) socket.ping()
  await eventually(() => isThrough || isClosed(), `an answer behind a volley to ${gateway}`, ANSWER_MS).catch((error: unknown) => outcomes.find({ gateway, what: String(error), seed }))
  const wasClosed = isClosed()
  socket.terminate()
  for (const code of codes) outcomes.count(gateway, code)
  const rest = Math.max(0, sent - codes.length)
  if (rest > 0) outcomes.count(gateway, wasClosed ? 'closed' : 'accepted', rest)
}

async function shoot(socket: WebSocket, gateway: string, random: Random): Promise<void> {
  if (gateway === 'Socket.IO packets') {
    const [name, input] = someMessage(random)
    // What breaks engine.io's or Socket.IO's own protocol ends the connection, and what stands behind it is not read: in every third volley.
    const isBroken = random.chance(1 / (3 * VOLLEY))
    socket.send(isBroken ? breaking(random, name) : `42${random.integer(0, 99)}${JSON.stringify([name, input ?? null])}`)
  } else {
    const text = asText(random, someDialectMessage(random, DIALECTS[gateway]!.form))
    socket.send(random.chance(0.005) ? mutateBytes(random, text) : text)
  }
  // So that what comes back is read meanwhile.
  if (random.chance(0.1)) await new Promise((resolve) => setImmediate(resolve))
}

function breaking(random: Random, name: string): string | Buffer {
  switch (random.integer(0, 4)) {
    case 0:
      return `4${somePacket(random)}`
    case 1:
      return random.pick(['3', '6', '5', '2probe', '3probe', '1', '0', 'b4AAEC', '451-["x",{"_placeholder":true,"num":0}]'])
    case 2:
      return mutateText(random, `42["${name}"]`)
    case 3:
      return anyBytes(random)
    default:
      return anyBytes(random).toString('latin1')
  }
}

function codeOfPacket(text: string): string | undefined {
  if (!/^4(3|2\["hub\.error")/.test(text)) return undefined
  return /"(?:error":\{"code|hub\.error",\{"code)":"(\w+)"/.exec(text)?.[1]
}

function codeOfMessage(text: string): string | undefined {
  try {
    const message = JSON.parse(text) as { type?: unknown; event_type?: unknown; code?: unknown; payload?: { code?: unknown; hub_code?: unknown; error?: { code?: unknown } }; data?: { code?: unknown }; error?: { code?: unknown } } & Record<string, unknown>
    if (![message.type, message.event_type].some((name) => typeof name === 'string' && TOLD.test(name))) return undefined
    const code = [message.payload?.hub_code, message.code, message.payload?.code, message.payload?.error?.code, message.data?.code, message.error?.code].find((found) => typeof found === 'string')
    if (code === undefined) return undefined
    const known = Object.hasOwn(WORDS, code) ? WORDS[code]! : code
    // Events are called `agent:error`, too, and have a `code` of their producer's.
    return isFailureCode(known) || message.type === 'error' || message.event_type === 'error' ? known : undefined
  } catch {
    return undefined
  }
}

/** Frames by hand: opcodes, lengths and pieces that no library sends. */
export async function broken(url: string, random: Random, outcomes: Outcomes): Promise<void> {
  const path = random.pick([...Object.values(DIALECTS).map(({ way }) => way), '/socket.io/?EIO=4&transport=websocket'])
  const raw = await RawWebSocket.open(url, `${path}${path.includes('?') ? '&' : '?'}token=${TOKEN}`).catch(() => undefined)
  if (!raw) return outcomes.count('WebSocket frames', 'not let in')
  for (let times = random.integer(1, 5); times > 0 && !raw.ended; times--) {
    const payload = random.chance(0.5) ? Buffer.from('{"type":"ping"}') : anyBytes(random, 200)
    raw.frame(payload, { opcode: random.integer(0, 15), fin: random.chance(0.8), rsv1: random.chance(0.05) })
    outcomes.count('WebSocket frames', 'sent')
  }
  raw.frame(Buffer.from('x'), { opcode: 9 })
  await eventually(() => raw.ended || raw.text().includes('\u008a\u0001x'), 'a pong, or the end', ANSWER_MS).catch((error: unknown) => outcomes.find({ gateway: 'WebSocket frames', what: String(error) }))
  raw.destroy()
}
