/**
 * One gzip stream a response whose pieces are shared by all of them: each piece is deflated by itself, without history, and ends on a
 * byte (Z_SYNC_FLUSH), so that pieces may follow each other in any stream. Neither a compressor nor its 256 KB belongs to a socket, and
 * a piece is compressed once however many sockets it goes to. Whole gzip members in a row would be simpler, and are as valid; but
 * browsers and curl stop at the end of the first one.
 */
import zlib from 'node:zlib'

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** An empty last block. */
const LAST = Buffer.from([3, 0])
/** Of a stored block. */
const MOST_STORED = 0xffff
/** The fastest: it runs between two bursts. */
const LEVEL = 1

const deflated = new WeakMap<Buffer, Buffer>()

export class GzipStream {
  private begun = false
  private crc = 0
  private size = 0

  /** @param leastBytes shorter pieces are stored as they are: compressing them would cost more than it saves */
  constructor(private readonly leastBytes: number) {}

  /** The piece as it goes out. A buffer that is given again, to any stream, is not compressed again. */
  piece(bytes: Buffer): Buffer {
    // Node before 20.15 has no checksum to offer: the stream then ends without one, as if it were cut.
    if (typeof zlib.crc32 === 'function') this.crc = zlib.crc32(bytes, this.crc)
    this.size += bytes.length
    let piece = deflated.get(bytes)
    if (!piece) {
      piece = bytes.length < this.leastBytes && bytes.length <= MOST_STORED ? stored(bytes) : zlib.deflateRawSync(bytes, { level: LEVEL, finishFlush: zlib.constants.Z_SYNC_FLUSH })
      deflated.set(bytes, piece)
    }
    if (this.begun) return piece
    this.begun = true
    return Buffer.concat([HEADER, piece])
  }

  end(): Buffer {
    if (typeof zlib.crc32 !== 'function') return Buffer.alloc(0)
    const sums = Buffer.alloc(8)
    sums.writeUInt32LE(this.crc, 0)
    sums.writeUInt32LE(this.size % 2 ** 32, 4)
    return Buffer.concat(this.begun ? [LAST, sums] : [HEADER, LAST, sums])
  }
}

function stored(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt16LE(bytes.length, 1)
  head.writeUInt16LE(MOST_STORED - bytes.length, 3)
  return Buffer.concat([head, bytes])
}
