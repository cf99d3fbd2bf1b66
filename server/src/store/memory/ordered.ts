/** Texts in order, each once: an index of the state in memory. Most come at the end; any other moves one chunk, not all. */

/** A chunk that is full is cut in two. */
const CHUNK = 512

export class Ordered {
  /** None is empty; all of a chunk's texts come before those of the next. */
  private readonly chunks: string[][] = []
  private count = 0

  get size(): number {
    return this.count
  }

  add(text: string): void {
    if (this.chunks.length === 0) this.chunks.push([])
    const number = this.chunkOf(text)
    const chunk = this.chunks[number]!
    const at = placeIn(chunk, text)
    if (chunk[at] === text) return
    chunk.splice(at, 0, text)
    this.count++
    if (chunk.length <= CHUNK) return
    // What only grows at its end stays full.
    const atEnd = number === this.chunks.length - 1 && at === CHUNK
    this.chunks.splice(number + 1, 0, chunk.splice(atEnd ? CHUNK : CHUNK / 2))
  }

  delete(text: string): void {
    const number = this.chunkOf(text)
    const chunk = this.chunks[number]
    const at = chunk ? placeIn(chunk, text) : 0
    if (!chunk || chunk[at] !== text) return
    chunk.splice(at, 1)
    this.count--
    if (chunk.length === 0) this.chunks.splice(number, 1)
  }

  /** Those behind `text`. */
  *behind(text: string): Generator<string> {
    let number = this.chunkOf(text)
    let chunk = this.chunks[number]
    let from = chunk ? placeBehind(chunk, text) : 0
    while (chunk) {
      for (let at = from; at < chunk.length; at++) yield chunk[at]!
      chunk = this.chunks[++number]
      from = 0
    }
  }

  /** Those before `text`, the last one first; all of them without it. */
  *before(text?: string): Generator<string> {
    let number = text === undefined ? this.chunks.length - 1 : this.chunkOf(text)
    let chunk = this.chunks[number]
    let to = chunk && text !== undefined ? placeIn(chunk, text) : chunk?.length
    while (chunk) {
      for (let at = (to ?? chunk.length) - 1; at >= 0; at--) yield chunk[at]!
      chunk = this.chunks[--number]
      to = undefined
    }
  }

  /** The last chunk that begins at or before the text; the first one if none does. */
  private chunkOf(text: string): number {
    let low = 0
    let high = this.chunks.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.chunks[middle]![0]! <= text) low = middle
      else high = middle
    }
    return low
  }
}

/** Index of the first one that is not before `text`. */
function placeIn(chunk: readonly string[], text: string): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (chunk[middle]! < text) low = middle + 1
    else high = middle
  }
  return low
}

function placeBehind(chunk: readonly string[], text: string): number {
  const at = placeIn(chunk, text)
  return chunk[at] === text ? at + 1 : at
}
