/** What a worker passes on to the one that has the session. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { passOn, restorePeer } from '../../server/src/cli/machine/lanes.js'
import { eventually } from '../harness/eventually.js'

const servers: Server[] = []
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubbub-lanes-'))
})
afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections()
  await rm(folder, { recursive: true, force: true })
})

async function listening(server: Server, where: string | number): Promise<Server> {
  servers.push(server)
  await new Promise<void>((resolve) => (typeof where === 'string' ? server.listen(where, resolve) : server.listen(where, '127.0.0.1', resolve)))
  return server
}

test('a GET that says it has a body leaves nothing on the lane for whoever comes next: its request stays a request', async () => {
  const lane = join(folder, '1.sock')
  const heard: unknown[] = []
  await listening(createServer((request, response) => {
    restorePeer(request)
    heard.push([request.method, request.url, request.socket.remoteAddress])
    response.end('ok')
  }), lane)
  const worker = await listening(createServer((request, response) => passOn(lane, request, response, () => response.end('gone'))), 0)
  const client = connect((worker.address() as AddressInfo).port, '127.0.0.1')
  let told = ''
  client.setEncoding('latin1').on('data', (text: string) => (told += text))
  const answers = () => told.match(/HTTP\/1\.1 \d+/g) ?? []
  try {
    // As long as what the lane would carry before the body of the next one, which would then be read as a request of a peer that it names.
    client.write(`GET /first HTTP/1.1\r\nHost: hub\r\nContent-Length: 40\r\n\r\n${'x'.repeat(40)}`)
    await eventually(() => answers().length === 1, 'the first answer')
    client.write('POST /second HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\n{}')
    await eventually(() => answers().length === 2, 'the second answer')
    expect(answers()).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
    expect(heard).toEqual([['GET', '/first', '127.0.0.1'], ['POST', '/second', '127.0.0.1']])
  } finally {
    client.destroy()
  }
})
