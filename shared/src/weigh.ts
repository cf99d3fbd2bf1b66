/**
 * One walk over a producer's JSON: its size, its depth, and that it is JSON at all. Everything that enters the hub passes here
 * before a schema sees it, so that a hostile value costs no more than the limit's worth of work.
 */
import { HubError } from './failures.js'

export interface WeighLimits {
  maxBytes: number
  /** Nested objects and arrays, the outermost is 1. */
  maxDepth: number
}

export interface Weighed {
  /** UTF-8 bytes of the value's JSON. */
  bytes: number
  /** An object has fields that are undefined, which JSON leaves out. */
  holes: boolean
}

/** Throws PAYLOAD_TOO_LARGE, or VALIDATION_ERROR for what is too deep, not JSON, or names a forbidden key. */
export function weigh(value: unknown, limits: WeighLimits, root = 'data'): Weighed {
  const walk = new Walk(limits, root)
  walk.take(value, root, 0)
  return walk
}

/** Own keys that would reach a prototype when somebody copies the object carelessly. */
export function isForbiddenKey(key: string): boolean {
  const { length } = key
  return (length === 9 && (key === '__proto__' || key === 'prototype')) || (length === 11 && key === 'constructor')
}

/** As JSON.parse makes them, in any realm; instances of classes, buffers and dates are not. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null || Object.getPrototypeOf(proto) === null
}

class Walk implements Weighed {
  bytes = 0
  holes = false
  private readonly path: string[]

  constructor(private readonly limits: WeighLimits, root: string) {
    this.path = [root]
  }

  take(value: unknown, key: string, depth: number): void {
    switch (typeof value) {
      case 'string':
        return this.add(stringBytes(value, this.limits.maxBytes - this.bytes))
      case 'number':
        if (!Number.isFinite(value)) this.refuse(key, 'is not a finite number')
        return this.add(String(value).length)
      case 'boolean':
        return this.add(value ? 4 : 5)
      case 'object':
        if (value === null) return this.add(4)
        return this.enter(value, key, depth + 1)
      default:
        this.refuse(key, `is ${typeof value}, which JSON cannot hold`)
    }
  }

  private enter(value: object, key: string, depth: number): void {
    if (depth > this.limits.maxDepth) this.refuse(key, `is nested more than ${this.limits.maxDepth} levels deep`)
    // The root's own name is on the path already.
    if (depth > 1) this.path.push(key)
    if (Array.isArray(value)) this.array(value, depth)
    else if (isPlainObject(value)) this.object(value, depth)
    else this.refuse(undefined, 'is no plain object, which is all that JSON can hold')
    if (depth > 1) this.path.pop()
  }

  private array(list: readonly unknown[], depth: number): void {
    this.add(2 + Math.max(0, list.length - 1))
    for (let index = 0; index < list.length; index++) this.take(list[index], '[]', depth)
  }

  private object(record: Record<string, unknown>, depth: number): void {
    let fields = 0
    for (const key of Object.keys(record)) {
      if (isForbiddenKey(key)) this.refuse(key, 'is a forbidden key')
      const value = record[key]
      if (value === undefined) {
        this.holes = true
        continue
      }
      fields++
      this.add(stringBytes(key, this.limits.maxBytes - this.bytes) + 1)
      this.take(value, key, depth)
    }
    this.add(2 + Math.max(0, fields - 1))
  }

  private add(bytes: number): void {
    this.bytes += bytes
    if (this.bytes > this.limits.maxBytes) {
      throw new HubError('PAYLOAD_TOO_LARGE', `${this.path[0]} is larger than ${this.limits.maxBytes} bytes`, { limit: this.limits.maxBytes })
    }
  }

  private refuse(key: string | undefined, problem: string): never {
    const names = key === undefined || (this.path.length === 1 && key === this.path[0]) ? this.path : [...this.path, key]
    const path = names.map((name) => name.slice(0, 40)).slice(0, 8).join('.')
    throw new HubError('VALIDATION_ERROR', `${path} ${problem}`, { path, problem })
  }
}

/** UTF-8 bytes of a string's JSON, quotes included; a string that cannot fit into `room` is not read. */
function stringBytes(text: string, room: number): number {
  let bytes = text.length + 2
  if (bytes > room) return bytes
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) {
      if (unit < 0x20) bytes += unit === 8 || unit === 9 || unit === 10 || unit === 12 || unit === 13 ? 1 : 5
      else if (unit === 0x22 || unit === 0x5c) bytes += 1
    } else if (unit < 0x800) {
      bytes += 1
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes += 2
    } else if (unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) {
      // A pair is four bytes for two units.
      bytes += 2
      index++
    } else {
      // A lone surrogate is written as an escape of six.
      bytes += 5
    }
  }
  return bytes
}
