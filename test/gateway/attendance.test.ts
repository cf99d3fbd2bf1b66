/** `connection.opened` and `connection.closed`: of whom, in which order, and why. */
import type { HubEvent } from '@hubbub/protocol'
import type { RunningHub } from '../../server/src/hub.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import type { Tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { agent, attendance, client, closings, dataOf, drop, hub, service } from './agentHub.js'

describe('what is told of connections', () => {
  async function watcher(running: RunningHub): Promise<Tap> {
    const watching = await client(running, { sub: 'watcher', role: 'viewer' })
    await watching.must('subscribe', { topics: ['connection:*', 'agent:*'] })
    return watching
  }

  test('is when an agent\'s begins and ends, in that order, and why', async () => {
    const running = await hub()
    const watching = await watcher(running)
    const coder = await agent(running, 'coder', { agentType: 'reviewer' })
    const id = coder.socket.id
    coder.close()
    await eventually(() => attendance(watching).length === 2, 'both events')
    expect(attendance(watching)).toEqual([
      {
        type: 'connection.opened',
        data: { connectionId: id, agentId: 'coder', agentType: 'reviewer', connectedAt: expect.any(String), protocolVersion: '1.0', heartbeatInterval: 30_000, serverTime: expect.any(Number) },
      },
      { type: 'connection.closed', data: { connectionId: id, agentId: 'coder', reason: 'client disconnected', disconnectedAt: expect.any(String) } },
    ])
  })

  test('names each way in which one ends', async () => {
    const running = await hub({ pingIntervalMs: 200, pingTimeoutMs: 200, revocationPollMs: 100 })
    const watching = await watcher(running)
    const reasons = new Map<string, unknown>()
    const told = async (who: string) => {
      const found = await eventually(() => closings(watching).find(({ agentId }) => agentId === who), `the end of ${who}`)
      reasons.set(who, found['reason'])
    }
    drop(await agent(running, 'cut'))
    await told('cut')
    const frozen = await agent(running, 'frozen')
    const { ws } = frozen.socket.io.engine.transport as unknown as { ws: { terminate(): void; _socket: { pause(): void } } }
    ws._socket.pause()
    await told('frozen')
    // Or the hub would wait for the end of a closing handshake.
    ws.terminate()
    await agent(running, 'expired', { exp: Math.floor(Date.now() / 1000) + 2 })
    await told('expired')
    await agent(running, 'banned')
    expect((await ask(`${running.url}/api/v1/revocations`, { as: token({ projects: ['*'] }), json: { subject: 'banned' } })).status).toBeLessThan(300)
    await told('banned')
    expect(Object.fromEntries(reasons)).toEqual({ cut: 'transport closed', frozen: 'ping timeout', expired: 'credential expired', banned: 'revoked' })
  }, 20_000)

  test('is told for each of an agent\'s connections: the end of the older one does not name the newer one', async () => {
    const running = await hub()
    const watching = await watcher(running)
    const [older, newer] = [await agent(running), await agent(running)]
    const [oldId, newId] = [older.socket.id, newer.socket.id]
    older.close()
    await eventually(() => closings(watching).length === 1, 'the older one\'s end')
    expect(closings(watching)).toMatchObject([{ connectionId: oldId, agentId: 'coder' }])
    newer.close()
    await eventually(() => closings(watching).length === 2, 'the newer one\'s end')
    expect(closings(watching)[1]).toMatchObject({ connectionId: newId, agentId: 'coder' })
  })

  test('says that one was taken over when its session was resumed by another', async () => {
    const running = await hub()
    const watching = await watcher(running)
    const older = await agent(running)
    const session = older.socket as unknown as { id: string; _pid: string; _lastOffset?: string }
    const offset = await eventually(() => session._lastOffset, 'its first cursor')
    const { id, _pid: pid } = session
    await agent(running, 'coder', {}, { auth: { token: token({ sub: 'coder', role: 'agent' }), pid, offset } })
    await eventually(() => closings(watching).length === 1, 'the older one\'s end')
    expect(closings(watching)).toMatchObject([{ connectionId: id, agentId: 'coder', reason: 'taken over' }])
  })

  test('is told before the hub is down', async () => {
    const running = await hub()
    const watching = await watcher(running)
    await agent(running)
    await eventually(() => attendance(watching).length === 1, 'the beginning')
    const heard: string[] = []
    await running.operations.admit({ subject: 'x', role: 'admin', project: 'default', projects: ['*'], permissions: ['admin'], via: 'none' }).then((admit) => {
      const outlet = {
        encoding: { name: 'test', encode: ({ json }: { json: string }) => ({ packet: json, bytes: Buffer.from(json) }) },
        write: (chunk: { entries: readonly { event: HubEvent }[] }) => void heard.push(...chunk.entries.map(({ event }) => `${event.type} ${String(dataOf(event)['reason'])}`)),
        bookmark: () => undefined,
        gap: () => undefined,
        waiting: () => ({ bytes: 0, packets: 0 }),
        drained: () => Promise.resolve(),
      }
      return admit(outlet).subscribe({ topics: ['connection:*'] }, () => undefined)
    })
    await running.close()
    expect(heard).toContain('connection.closed server shutting down')
  })

  test('is of agents by default, of everybody or of nobody where that is set', async () => {
    const all = await hub({ connectionEvents: 'all' })
    const everybody = await watcher(all)
    const viewer = await client(all, { sub: 'page', role: 'viewer' })
    await eventually(() => attendance(everybody).some(({ data }) => data['connectionId'] === viewer.socket.id), 'the viewer\'s connection')
    expect(attendance(everybody).map(({ data }) => data['agentId'])).not.toContain('page')

    const none = await hub({ connectionEvents: 'none' })
    const nobody = await watcher(none)
    const [coder, planner] = [await agent(none), await service(none)]
    coder.close()
    await planner.must('publish', { id: 'last', type: 'agent.log', data: { agentId: 'coder', level: 'info', message: 'x' } })
    await nobody.hears('last')
    expect(attendance(nobody)).toEqual([])
  })
})
