import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { eventually } from './eventually.js'
import { startProxy, type Proxy } from './proxy.js'

/** Answers `name:` before whatever comes in. */
async function startEcho(name: string) {
  const sockets = new Set<Socket>()
  let received = ''
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received += String(chunk)
      socket.write(`${name}:${String(chunk)}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

async function dial(proxy: Proxy) {
  const socket = connect({ host: proxy.host, port: proxy.port })
  let text = ''
  let failure: NodeJS.ErrnoException | undefined
  socket.on('data', (chunk) => (text += String(chunk)))
  socket.on('error', (error) => (failure = error))
  await eventually(() => !socket.connecting)
  return { socket, text: () => text, failure: () => failure, ended: () => socket.destroyed || socket.readableEnded }
}

describe('the TCP proxy', () => {
  let echo: Awaited<ReturnType<typeof startEcho>>
  let proxy: Proxy

  beforeEach(async () => {
    echo = await startEcho('one')
    proxy = await startProxy({ port: echo.port })
  })
  afterEach(async () => {
    await proxy.close()
    echo.close()
  })

  test('passes bytes both ways', async () => {
    const caller = await dial(proxy)
    caller.socket.write('hello')
    await eventually(() => caller.text() === 'one:hello')
    expect(proxy.connections()).toBe(1)
    caller.socket.destroy()
    await eventually(() => proxy.connections() === 0)
  })

  test('passes a megabyte unharmed to a slow reader', async () => {
    const caller = await dial(proxy)
    const bulk = 'x'.repeat(1_000_000)
    caller.socket.pause()
    caller.socket.write(bulk)
    await eventually(() => echo.received().length > 100_000)
    caller.socket.resume()
    await eventually(() => echo.received() === bulk)
    await eventually(() => caller.text().replaceAll('one:', '') === bulk)
    caller.socket.destroy()
  })

  test('resets every connection on cut, and takes new ones', async () => {
    const caller = await dial(proxy)
    caller.socket.write('a')
    await eventually(() => caller.text() === 'one:a')
    proxy.cut('reset')
    await eventually(() => caller.failure()?.code === 'ECONNRESET')
    const next = await dial(proxy)
    next.socket.write('b')
    await eventually(() => next.text() === 'one:b')
    next.socket.destroy()
  })

  test('ends connections in order when asked to', async () => {
    const caller = await dial(proxy)
    caller.socket.write('a')
    await eventually(() => caller.text() === 'one:a')
    proxy.cut('end')
    await eventually(() => caller.ended())
    expect(caller.failure()).toBeUndefined()
    caller.socket.destroy()
  })

  test('swallows everything while blackholed and tells nobody; old connections do not come back', async () => {
    const old = await dial(proxy)
    old.socket.write('a')
    await eventually(() => old.text() === 'one:a')
    proxy.blackhole(true)
    old.socket.write('lost')
    const young = await dial(proxy)
    young.socket.write('lost too')
    // A second proxy to the same echo carries bytes meanwhile: time enough for the lost ones to arrive, were they to.
    const other = await startProxy({ port: echo.port })
    const witness = await dial(other)
    witness.socket.write('w')
    await eventually(() => witness.text() === 'one:w')
    expect(echo.received()).toBe('aw')
    expect([old.ended(), young.ended(), old.text(), young.text()]).toEqual([false, false, 'one:a', ''])

    proxy.blackhole(false)
    await eventually(() => old.ended() && young.ended())
    expect(echo.received()).toBe('aw')
    const next = await dial(proxy)
    next.socket.write('n')
    await eventually(() => next.text() === 'one:n')
    for (const { socket } of [next, witness]) socket.destroy()
    await other.close()
  })

  test('sends later connections to the new target and leaves the earlier ones alone', async () => {
    const second = await startEcho('two')
    const earlier = await dial(proxy)
    earlier.socket.write('a')
    await eventually(() => earlier.text() === 'one:a')
    proxy.retarget(second.port)
    const later = await dial(proxy)
    later.socket.write('b')
    earlier.socket.write('c')
    await eventually(() => later.text() === 'two:b' && earlier.text() === 'one:aone:c')
    for (const { socket } of [earlier, later]) socket.destroy()
    second.close()
  })

  test('brings bytes late while told to, in their order, and what is under way keeps its place', async () => {
    const caller = await dial(proxy)
    proxy.delay(120)
    const asked = performance.now()
    caller.socket.write('a')
    await eventually(() => echo.received() === 'a')
    expect(performance.now() - asked).toBeGreaterThanOrEqual(115)
    await eventually(() => caller.text() === 'one:a')
    expect(performance.now() - asked).toBeGreaterThanOrEqual(235)

    caller.socket.write('b')
    // It was sent when the line was slow: nothing that comes later overtakes it.
    await eventually(() => proxy.underWay() > 0)
    proxy.delay(0)
    caller.socket.write('c')
    await eventually(() => echo.received().length === 3)
    expect(echo.received()).toBe('abc')
    caller.socket.destroy()
  })

  test('reads nothing of the target while paused, and loses nothing', async () => {
    const caller = await dial(proxy)
    proxy.pause(true)
    caller.socket.write('a')
    const late = await dial(proxy)
    late.socket.write('b')
    await eventually(() => echo.received().length === 2)
    // A second proxy to the same echo carries bytes meanwhile: time enough for those, were they read.
    const other = await startProxy({ port: echo.port })
    const witness = await dial(other)
    witness.socket.write('w')
    await eventually(() => witness.text() === 'one:w')
    expect([caller.text(), late.text()]).toEqual(['', ''])

    proxy.pause(false)
    await eventually(() => caller.text() === 'one:a' && late.text() === 'one:b')
    for (const { socket } of [caller, late, witness]) socket.destroy()
    await other.close()
  })

  test('refuses while told to, and when the target is gone', async () => {
    proxy.refuse(true)
    const turned = await dial(proxy)
    await eventually(() => turned.ended())
    proxy.refuse(false)
    echo.close()
    const stranded = await dial(proxy)
    await eventually(() => stranded.ended())
    await eventually(() => proxy.connections() === 0)
  })
})
