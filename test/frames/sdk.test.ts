import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type Gap, type Signal } from '@hubbub/client'
import { Server as Engine, type Socket } from 'engine.io'
import { eventually } from '../harness/eventually.js'

type Golden = { name: string; packet: string }[]
const read = (file: string) => JSON.parse(readFileSync(new URL(`../../shared/frames/${file}.json`, import.meta.url), 'utf8')) as Golden
const hub = read('hub')
const client = read('client')
const packet = (golden: Golden, name: string) => golden.find((one) => one.name === name)!.packet

test('the SDK asks as the golden frames have it, and understands what they answer', async () => {
  const asked: string[] = []
  const http = createServer()
  const engine = new Engine()
  engine.attach(http, { path: '/socket.io/' })
  engine.on('connection', (socket: Socket) => {
    socket.on('message', (message: string) => {
      asked.push(message)
      if (message === packet(client, 'connect')) socket.send(packet(hub, 'connected'))
      if (!message.startsWith('20')) return
      socket.send(packet(hub, 'bookmark'))
      socket.send(packet(client, 'subscribed'))
      for (const name of ['event', 'signal', 'gap']) socket.send(packet(hub, name))
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => resolve()))
  const sdk = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { token: 'a.b.c', transports: ['websocket'] })
  try {
    const events: unknown[] = []
    const gaps: Gap[] = []
    const signals: Signal[] = []
    sdk.on('task.*', (event, { cursor }) => events.push({ event, cursor }))
    sdk.onGap((gap) => gaps.push(gap))
    sdk.onSignal((signal) => signals.push(signal))
    // Another handshake is answered by nobody: it fails here, and not by waiting.
    await eventually(() => asked.length > 0, 'the handshake')
    expect(asked[0]).toBe(packet(client, 'connect'))
    await sdk.subscribe('task:7')
    await eventually(() => gaps.length === 1 && signals.length === 1)
    expect(asked).toEqual([packet(client, 'connect'), packet(client, 'subscribe')])
    const [, event, cursor] = JSON.parse(packet(hub, 'event').slice(1)) as [string, object, string]
    expect(events).toEqual([{ event, cursor }])
    expect(gaps).toEqual([(JSON.parse(packet(hub, 'gap').slice(1)) as [string, Gap])[1]])
    expect(signals).toEqual([(JSON.parse(packet(hub, 'signal').slice(1)) as [string, Signal])[1]])
  } finally {
    sdk.close()
    engine.close()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
})
