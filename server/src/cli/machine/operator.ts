/** For whoever runs the machine: one address that speaks for all its processes. The shared port speaks for whichever worker answers. */
import { createServer, get, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HubError } from '@hubbub/protocol'
import { AggregatorRegistry, Registry } from 'prom-client'
import { laneOf } from './lanes.js'
import type { Figures } from './messages.js'
import type { Occupant } from './occupant.js'
import type { Seat } from './seat.js'

/** A process that does not say within it that it is ready is not, ms. */
const ASK_MS = 2000

/** Listens; rejects when the port is taken. */
export async function openOperator(host: string, port: number, seats: readonly Seat[]): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    answer(seats, request.url ?? '/', response).catch((error: unknown) => respond(response, new HubError('INTERNAL_ERROR', undefined, undefined, { cause: error })))
  })
  await listen(server, host, port)
  const { address, family, port: taken } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(seats: readonly Seat[], url: string, response: ServerResponse): Promise<void> {
  switch (url.split('?', 1)[0]) {
    case '/health/live':
      return respond(response, { ok: true, status: 'live' })
    case '/health':
    case '/health/ready':
      return respond(response, await readiness(seats))
    case '/metrics':
      response.writeHead(200, { 'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE, 'Cache-Control': 'no-store' })
      response.end(await metricsOf(seats))
      return
    default:
      return respond(response, new HubError('NOT_FOUND'))
  }
}

/** Ready with at least one worker that is, and one processor where the machine has any; says of each process whether it is. */
async function readiness(seats: readonly Seat[]): Promise<HubError | Record<string, unknown>> {
  const states = await Promise.all(seats.map(async (seat) => ({ seat: seat.name, role: seat.role, isReady: await saysReady(seat.serving) })))
  const processes = Object.fromEntries(states.map(({ seat, isReady }) => [seat, isReady ? 'ready' : 'not ready']))
  const missing = [...new Set(seats.map(({ role }) => role))].filter((role) => !states.some((state) => state.role === role && state.isReady))
  if (missing.length === 0) return { ok: true, status: 'ready', processes }
  return new HubError('UNAVAILABLE', `Not ready: no ${missing.join(', no ')} of this machine is.`, { processes })
}

function saysReady(occupant: Occupant | undefined): Promise<boolean> {
  if (!occupant) return Promise.resolve(false)
  return new Promise((resolve) => {
    const request = get({ socketPath: laneOf(occupant.berth.lanes, occupant.id), path: '/health/ready', agent: false, timeout: ASK_MS }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', () => resolve(false))
  })
}

/** Of all processes, each series with its process's `node`: what one sums over is up to who reads. */
async function metricsOf(seats: readonly Seat[]): Promise<string> {
  const figures = await Promise.all(seats.flatMap(({ all }) => all).map(async (one) => labelled(one.isReady ? await one.figures() : [], one.berth.node)))
  return await AggregatorRegistry.aggregate(figures).metrics()
}

/** No two have the same labels then, so nothing is summed, whatever a metric says of its summing. */
function labelled(figures: Figures, node: string): Figures {
  return figures.map((metric) => ({ ...metric, aggregator: 'sum', values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, node } })) }))
}

function respond(response: ServerResponse, body: HubError | Record<string, unknown>): void {
  const isFailure = body instanceof HubError
  response.writeHead(isFailure ? body.status : 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(isFailure ? { ok: false, error: body } : body))
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, () => resolve())
  })
}
