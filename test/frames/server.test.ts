import { readFileSync } from 'node:fs'
import type { Gap, HubEvent } from '@hubbub/protocol'
import { Decoder, type Packet } from 'socket.io-parser'
import { TailEntry, type Frame } from '../../server/src/fanout/entry.js'
import { SocketOutlet, socketioEncoding, textFrame } from '../../server/src/gateway/socketio/wire.js'
import { createMetrics } from '../../server/src/observe/metrics.js'

interface Golden {
  name: string
  packet: string
  cursor?: string
  event?: HubEvent
  gap?: Gap
}

const golden = JSON.parse(readFileSync(new URL('../../shared/frames/hub.json', import.meta.url), 'utf8')) as Golden[]
const frame = (name: string) => golden.find((one) => one.name === name)!

function decode(packet: string): Packet {
  let decoded: Packet | undefined
  const decoder = new Decoder()
  decoder.on('decoded', (one: Packet) => (decoded = one))
  decoder.add(packet)
  return decoded!
}

/** What an outlet writes, without a network. */
function outletOf(written: string[]): SocketOutlet {
  const conn = { readyState: 'open', upgrading: false, writeBuffer: [], transport: { name: 'polling', writable: true }, write: (packet: string) => written.push(packet), once() {}, removeListener() {} }
  return new SocketOutlet(socketioEncoding(createMetrics()), conn, createMetrics())
}

/** The payload of an unmasked text frame, by the letter of RFC 6455. */
function payloadOf({ bytes }: Frame): string {
  expect(bytes[0]).toBe(0x81)
  const short = bytes[1]!
  const [at, length] = short < 126 ? [2, short] : short === 126 ? [4, bytes.readUInt16BE(2)] : [10, Number(bytes.readBigUInt64BE(2))]
  expect(bytes.length).toBe(at + length)
  return bytes.subarray(at).toString()
}

test('the server writes events, bookmarks and gaps as the golden frames have them', () => {
  const { event, cursor, packet } = frame('event')
  const [epoch, offset] = cursor!.split('.') as [string, string]
  const entry = new TailEntry({ offset, epoch, previous: '0-0', event: JSON.stringify(event) })
  expect(entry.frame(socketioEncoding(createMetrics())).packet).toBe(packet)
  const written: string[] = []
  const outlet = outletOf(written)
  outlet.bookmark(frame('bookmark').cursor!)
  outlet.gap(frame('gap').gap!)
  expect(written).toEqual([frame('bookmark').packet, frame('gap').packet])
})

test('each is an ordinary packet to the stock parser, and an ordinary WebSocket frame, at every length', () => {
  for (const { packet } of golden) {
    expect(decode(packet)).toMatchObject({ type: Number(packet[0]), nsp: '/' })
    expect(payloadOf(textFrame(packet))).toBe(`4${packet}`)
  }
  for (const length of [1, 124, 125, 126, 65_534, 65_535, 65_536, 200_000]) expect(payloadOf(textFrame('ü'.repeat(length)))).toBe(`4${'ü'.repeat(length)}`)
})

test('what the stock client takes for its offset is the cursor, and only ours end in a string', () => {
  for (const { name, packet } of golden) {
    const args = decode(packet).data as unknown
    const last: unknown = Array.isArray(args) ? args.at(-1) : undefined
    expect([name, typeof last === 'string']).toEqual([name, ['bookmark', 'event', 'gap'].includes(name)])
  }
})
