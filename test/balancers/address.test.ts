/** Whose address counts: the client's own behind a balancer that is trusted, whatever the client says of itself. */
import { startBalancer, type Balancer, type BalancerKind } from '../harness/balancer.js'
import { token } from '../harness/token.js'
import { hub } from '../gateway/agentHub.js'
import { openSocket, type PlainSocket } from './clients.js'

const VIEWER = token({ sub: 'viewer', role: 'viewer' })
/** Connections that an address may have. */
const MOST = 2

const balancers: Balancer[] = []
const sockets: PlainSocket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close()
  await Promise.all(balancers.splice(0).map((balancer) => balancer.stop()))
})

/** A connection of each of these addresses of this machine, in turn: how many of an address are let in. */
async function letIn(url: string, addresses: readonly string[], headersOf: (at: number) => Record<string, string> = () => ({})): Promise<Record<string, number>> {
  const counts: Record<string, number> = Object.fromEntries(addresses.map((address) => [address, 0]))
  for (let at = 0; at < MOST + 1; at++) {
    for (const localAddress of addresses) {
      const opened = await openSocket(`${url.replace('http', 'ws')}/ws?topics=task:1&token=${VIEWER}`, { localAddress, headers: headersOf(at) }).catch(() => undefined)
      if (!opened) continue
      sockets.push(opened)
      counts[localAddress]!++
    }
  }
  return counts
}

async function hubBehind(kind: BalancerKind, trustProxy: string): Promise<{ behind: string; direct: string }> {
  const { url } = await hub({ trustProxy, addressConnections: MOST })
  const balancer = await startBalancer({ kind, ports: [Number(new URL(url).port)] })
  balancers.push(balancer)
  return { behind: balancer.plain, direct: url }
}

const ADDRESSES = ['127.0.0.5', '127.0.0.6']
const forged = (at: number): Record<string, string> => ({ 'x-forwarded-for': `203.0.113.${at}`, 'x-real-ip': `203.0.113.${at}`, forwarded: `for=203.0.113.${at}` })

describe.each(['haproxy', 'nginx'] as const)('behind %s', (kind) => {
  test('each client counts by its own address, and no header of its own makes it another one', async () => {
    const { behind } = await hubBehind(kind, '127.0.0.1')
    expect(await letIn(behind, ADDRESSES, forged)).toEqual({ '127.0.0.5': MOST, '127.0.0.6': MOST })
  }, 30_000)

  test('all count as one where the balancer is not trusted; and whoever comes past it is no balancer', async () => {
    const untrusted = await hubBehind(kind, 'none')
    const counts = await letIn(untrusted.behind, ADDRESSES)
    expect(counts['127.0.0.5']! + counts['127.0.0.6']!).toBe(MOST)
    const { direct } = await hubBehind(kind, '127.0.0.1')
    expect(await letIn(direct, ['127.0.0.5'], forged)).toEqual({ '127.0.0.5': MOST })
  }, 30_000)
})
