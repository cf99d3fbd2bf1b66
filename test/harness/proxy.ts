/**
 * A TCP proxy with faults: what a network does to a connection, on demand. Bytes pass unchanged and in order.
 * A connection keeps the target it was opened to; `retarget` is for those that come later.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Flow } from './flow.js'

export interface Proxy {
  host: string
  port: number
  /** Later connections go to this port of the target host. */
  retarget(port: number): void
  /** Ends all connections now: `reset` sends RST to both sides, `end` an orderly FIN. */
  cut(how: 'reset' | 'end'): void
  /**
   * On: nothing is forwarded either way, and new connections are accepted but lead nowhere; nobody is told. Off: those
   * connections are reset, for the bytes they lost will not come back; new ones work.
   */
  blackhole(on: boolean): void
  /** On: new connections are reset as soon as they come. */
  refuse(on: boolean): void
  /** From now on bytes arrive so many ms late, each way; 0: at once. What is under way keeps its time, and its place. */
  delay(ms: number): void
  /** On: nothing more is read of what the target sends, as by a client that has stopped reading. Off: it goes on where it was. */
  pause(on: boolean): void
  /** Pieces that `delay` holds back now, of all connections. */
  underWay(): number
  /** Connections that are open now, blackholed ones included. */
  connections(): number
  /** Connections since the start. */
  accepted(): number
  /** Resets everything and frees the port. */
  close(): Promise<void>
}

interface Pair {
  near: Socket
  far?: Socket
  flows: Flow[]
}

export async function startProxy(target: { host?: string; port: number }): Promise<Proxy> {
  const host = target.host ?? '127.0.0.1'
  const pairs = new Set<Pair>()
  let targetPort = target.port
  let dark = false
  let refusing = false
  let paused = false
  let accepted = 0
  const lag = { ms: 0 }

  // Half-open: an end is passed on like bytes, behind those before it.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (near) => {
    accepted++
    near.on('error', () => {})
    if (refusing) {
      near.resetAndDestroy()
      return
    }
    const pair: Pair = { near, flows: [] }
    pairs.add(pair)
    near.once('close', () => drop(pairs, pair))
    if (dark) return
    join(pairs, pair, connect({ host, port: targetPort, allowHalfOpen: true, noDelay: true }), lag)
    if (paused) pair.flows[BACK]!.hold('paused')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })

  const resetAll = () => {
    for (const pair of pairs) drop(pairs, pair)
  }
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    retarget: (port) => void (targetPort = port),
    cut(how) {
      if (how === 'reset') return resetAll()
      for (const { near, far } of pairs) for (const socket of [near, far]) socket?.end()
    },
    blackhole(on) {
      if (dark === on) return
      dark = on
      if (!on) return resetAll()
      for (const { flows } of pairs) for (const flow of flows) flow.stop()
    },
    refuse: (on) => void (refusing = on),
    delay: (ms) => void (lag.ms = ms),
    pause(on) {
      if (paused === on) return
      paused = on
      for (const { flows } of pairs) {
        if (on) flows[BACK]?.hold('paused')
        else flows[BACK]?.release('paused')
      }
    },
    underWay: () => [...pairs].reduce((sum, { flows }) => sum + flows.reduce((pieces, flow) => pieces + flow.underWay, 0), 0),
    connections: () => pairs.size,
    accepted: () => accepted,
    close() {
      resetAll()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Of a pair's flows, the one from the target. */
const BACK = 1

function join(pairs: Set<Pair>, pair: Pair, far: Socket, lag: { readonly ms: number }): void {
  const { near } = pair
  pair.far = far
  far.on('error', () => {})
  far.once('close', () => drop(pairs, pair))
  pair.flows = [new Flow(near, far, lag), new Flow(far, near, lag)]
}

/** A pair ends as one. After an orderly end both sides are finished already and the reset is not seen. */
function drop(pairs: Set<Pair>, pair: Pair): void {
  pairs.delete(pair)
  for (const flow of pair.flows) flow.stop()
  for (const socket of [pair.near, pair.far]) {
    if (!socket || socket.destroyed) continue
    // Node loses a socket that is reset while its end is under way: it never closes, and the process spins at its exit.
    if (socket.writableEnded && !socket.writableFinished) socket.destroy()
    else socket.resetAndDestroy()
  }
}
