/** A compressed stream: one gzip stream whose pieces are shared by all who read it. */
import { gunzipSync } from 'node:zlib'
import { GzipStream } from '../../server/src/gateway/http/stream-gzip.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'

const text = (bytes: number, seed = 'abcdefgh ') => Buffer.from(seed.repeat(Math.ceil(bytes / seed.length)).slice(0, bytes))

describe('a compressed stream', () => {
  test('is one valid gzip stream of stored and compressed pieces, in any order', () => {
    const pieces = [text(10), text(5000), text(1023), text(200_000), text(0), text(70_000, 'ü\n'), text(10)]
    const stream = new GzipStream(1024)
    const packed = Buffer.concat([...pieces.map((piece) => stream.piece(piece)), stream.end()])
    expect(gunzipSync(packed).equals(Buffer.concat(pieces))).toBe(true)
    expect(packed.length).toBeLessThan(5000)
    expect(gunzipSync(new GzipStream(1024).end())).toHaveLength(0)
  })

  test('stores what is long and yet not worth compressing in pieces that a stored block can hold', () => {
    const stream = new GzipStream(1_000_000)
    const pieces = [text(65_535), text(65_536), text(3)]
    expect(gunzipSync(Buffer.concat([...pieces.map((piece) => stream.piece(piece)), stream.end()])).equals(Buffer.concat(pieces))).toBe(true)
  })

  test('compresses a buffer once, however many streams it goes into', () => {
    const streams = [new GzipStream(1024), new GzipStream(1024)]
    for (const stream of streams) stream.piece(text(1))
    const shared = text(5000)
    const [first, second] = streams.map((stream) => stream.piece(shared))
    expect(first).toBe(second)
  })

  test('can be read as it comes by a client that takes gzip, and ends as a whole', async () => {
    const running = await hub({ compressBytes: 300 })
    const url = `${running.url}/api/v1/stream?topics=task:1`
    // fetch asks for gzip by itself, and unpacks it.
    const response = await fetch(url, { headers: { authorization: `Bearer ${token()}` } })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(response.headers.get('vary')).toContain('Accept-Encoding')
    let heard = ''
    let whole = false
    const reading = (async () => {
      for await (const part of response.body!.pipeThrough(new TextDecoderStream())) heard += part
      whole = true
    })()
    await eventually(() => heard.includes('hub.cursor'), 'the first bookmark')
    const messages = ['short', 'x'.repeat(3000), 'y'.repeat(100)]
    for (const message of messages) {
      await ask(`${running.url}/api/v1/events`, { as: token(), json: { type: 'task.progress', data: { taskId: '1', progress: 1, message } } })
      await eventually(() => heard.includes(message), 'the event, before the next one')
    }
    await running.close()
    await reading
    expect([whole, heard.includes('event: hub.error')]).toEqual([true, true])
  })

  test('is not compressed for whoever does not take it, or says so', async () => {
    const running = await hub()
    const encoding = async (query: string, accept: string) => {
      const gone = new AbortController()
      const { headers } = await fetch(`${running.url}/api/v1/stream?topics=task:1${query}`, { headers: { authorization: `Bearer ${token()}`, 'accept-encoding': accept }, signal: gone.signal })
      gone.abort()
      return headers.get('content-encoding')
    }
    expect(await encoding('', 'identity')).toBeNull()
    expect(await encoding('&compress=none', 'gzip, br')).toBeNull()
    expect(await encoding('', 'gzip;q=0')).toBeNull()
    expect(await encoding('&compress=gzip', 'identity')).toBe('gzip')
    expect(await encoding('', 'deflate, gzip')).toBe('gzip')
  })
})
