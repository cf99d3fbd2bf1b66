/**
 * Long-polling sessions live in one worker, and each of their requests may come to any: a connection carries what it
 * carries, behind a reverse proxy requests of several sessions in turn. So the session's id says whose it is, and a worker passes on
 * what belongs to another one: a request over that worker's lane, a unix socket in a folder of this machine's user alone;
 * an upgrade with its socket, so that a WebSocket hangs on its own worker only.
 *
 * Not by looking at the first bytes of a connection in the primary, as `@socket.io/sticky` (2.0.1) does: it looks at the first request
 * of a connection only and so must end each with its answer; what arrives while the socket is handed over is lost (of requests
 * whose head came in two segments up to a fifth hung); and answers to a POST pass through the primary unbounded, where a slow reader of an
 * AG-UI run would cost all of it (I7).
 */
import { randomBytes } from 'node:crypto'
import { Agent, request as ask, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'

const MARK = /^[\w-]{20}\.(\d{1,9})$/
/** Of this connection, not of the one behind it. */
const HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'expect', 'upgrade'])
/** And of a request whose body stays here. */
const HOP_AND_BODY = new Set([...HOP, 'content-length', 'transfer-encoding', 'trailer'])

/** On a lane: the address of whoever asked. */
const PEER = 'x-hubbub-peer'

/** Ids for new sessions: as random as the engine's own, with their owner's number. */
export function sessionIds(owner: number): () => string {
  return () => `${randomBytes(15).toString('base64url')}.${owner}`
}

/** Number of the worker whose session a request names; undefined when it names none. The last of several, as the engine reads it. */
export function ownerOf({ url }: Pick<IncomingMessage, 'url'>): number | undefined {
  if (!url?.startsWith('/socket.io')) return undefined
  const mark = MARK.exec(new URL(url, 'http://hub').searchParams.getAll('sid').at(-1) ?? '')
  return mark ? Number(mark[1]) : undefined
}

/** Of a process: where the others reach it. */
export function laneOf(folder: string, id: number): string {
  return join(folder, `${id}.sock`)
}

/** Connections between siblings, kept for the next request; less long than the other side keeps them. */
const agent = new Agent({ keepAlive: true, timeout: 1000 })
/** Nobody is there. */
const GONE = new Set<string | undefined>(['ENOENT', 'ECONNREFUSED'])

/** Has the owner answer. `serveHere`: the owner is gone; whoever knows no such session then says so as ever. */
export function passOn(lane: string, request: IncomingMessage, response: ServerResponse, serveHere: () => void): void {
  const { method, url: path } = request
  const isRead = method === 'GET'
  // A length without its body would make whatever comes over this lane next, anybody's request, the body.
  const headers = { ...onward(request.headers, isRead ? HOP_AND_BODY : HOP), [PEER]: request.socket.remoteAddress ?? '' }
  const passed = ask({ socketPath: lane, agent, method, path, headers })
  passed.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, onward(answer.headers))
    answer.pipe(response)
    // Cut off in the middle: so is the client's.
    answer.on('error', () => response.destroy())
  })
  passed.on('error', (error: NodeJS.ErrnoException) => {
    request.unpipe(passed)
    if (!response.headersSent && !response.destroyed && GONE.has(error.code)) serveHere()
    // It may have been heard: its client finds out when it comes back.
    else response.destroy()
  })
  // A client that goes away ends its poll where it is held.
  response.on('close', () => passed.destroy())
  // Without a body in one write: a second one to somebody who answered already, and closes, would fail and take the answer with it.
  if (isRead) passed.end()
  else request.pipe(passed)
}

/** What came over a lane is from whom the sibling says: proxies are trusted by address. */
export function restorePeer({ headers, socket }: IncomingMessage): void {
  Object.defineProperty(socket, 'remoteAddress', { value: headers[PEER] || undefined, configurable: true })
  delete headers[PEER]
}

/** A request whose head was read, as it came: for whoever is to read it anew. */
export function asItCame({ method, url, httpVersion, rawHeaders }: IncomingMessage, rest: Buffer): Buffer {
  const fields = rawHeaders.flatMap((name, place) => (place % 2 === 0 ? `${name}: ${rawHeaders[place + 1]}\r\n` : []))
  return Buffer.concat([Buffer.from(`${method} ${url} HTTP/${httpVersion}\r\n${fields.join('')}\r\n`, 'latin1'), rest])
}

function onward(headers: IncomingHttpHeaders, without: ReadonlySet<string> = HOP): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !without.has(name)))
}
