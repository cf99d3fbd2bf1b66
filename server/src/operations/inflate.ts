/**
 * Events whose producer sent them compressed, as whoever asks for compression gets them: `metadata.compressed`, and `data` the base64 of the
 * gzip of its JSON. They stand in the journal as if they had come plain.
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { canonicalType, HubError } from '@hubbub/protocol'
import { findEntry, isSnapshot } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'

type Limits = Pick<Settings, 'maxEventBytes' | 'maxSnapshotBytes'>
type Packed = Record<string, unknown> & { metadata: Record<string, unknown> }

/** Gzip makes nothing much larger: what is longer than the largest event would be, and this, is too large. Bytes. */
const SLACK = 1024
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

const inflate = promisify(gunzip)

export class Inflation {
  /** Of producers whose events are being inflated: when they are. */
  private readonly turns = new Map<string, Promise<unknown>>()

  constructor(private readonly limits: Limits) {}

  /**
   * Calls `next` with the inputs, inflated, those that cannot be as the reason. In the order of the calls of one client, and at once where
   * nothing is compressed and nothing of its own waits: a later publish must not overtake one that takes time (I1).
   */
  async before<T>(client: string, identity: Identity, inputs: readonly unknown[], next: (inputs: readonly unknown[]) => Promise<T>): Promise<T> {
    const earlier = this.turns.get(client)
    if (!earlier && !inputs.some(isPacked)) return await next(inputs)
    // Boxed: what follows the turn is not part of it.
    const turn = (earlier ?? Promise.resolve()).then(() => this.inflateAll(identity, inputs)).then((plain) => ({ published: next(plain) }))
    const settled = turn.catch(() => undefined)
    this.turns.set(client, settled)
    void settled.then(() => this.turns.get(client) === settled && this.turns.delete(client))
    return await (await turn).published
  }

  /** One after the other: a batch of bombs costs no more memory than one. */
  private async inflateAll(identity: Identity, inputs: readonly unknown[]): Promise<unknown[]> {
    const plain: unknown[] = []
    for (const input of inputs) plain.push(isPacked(input) ? await this.inflateOne(identity, input).catch(asFailure) : input)
    return plain
  }

  private async inflateOne(identity: Identity, input: Packed): Promise<unknown> {
    const name = input['type'] ?? input['event_type']
    const type = typeof name === 'string' ? (findEntry(name) ? name : canonicalType(name)) : undefined
    // The way in says what is wrong with a type that is none.
    if (type === undefined) return input
    // Before anything is inflated: it costs the hub more than its sender.
    if (!may(identity, 'publish', type)) throw new HubError('INSUFFICIENT_PERMISSIONS', `The identity may not publish ${type}.`, { needed: needed('publish', type) })
    const field = input['data'] === undefined ? 'payload' : 'data'
    const { compressed: _compressed, ...metadata } = input.metadata
    return { ...input, metadata, [field]: await unpack(input[field], isSnapshot(type) ? this.limits.maxSnapshotBytes : this.limits.maxEventBytes) }
  }
}

/** @throws HubError PAYLOAD_TOO_LARGE, VALIDATION_ERROR */
async function unpack(text: unknown, limit: number): Promise<unknown> {
  if (typeof text !== 'string' || text.length % 4 !== 0) throw wrong('is no base64')
  if (text.length > ((limit + SLACK) * 4) / 3) throw tooLarge(limit)
  if (!BASE64.test(text)) throw wrong('is no base64')
  let bytes: Buffer
  try {
    bytes = await inflate(Buffer.from(text, 'base64'), { maxOutputLength: limit })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(limit) : wrong('is no gzip')
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch {
    throw wrong('is no JSON')
  }
}

function isPacked(input: unknown): input is Packed {
  if (typeof input !== 'object' || input === null) return false
  const { metadata } = input as { metadata?: unknown }
  return typeof metadata === 'object' && metadata !== null && (metadata as { compressed?: unknown }).compressed === true
}

function asFailure(error: unknown): HubError {
  if (error instanceof HubError) return error
  throw error
}

function wrong(problem: string): HubError {
  return new HubError('VALIDATION_ERROR', `data says that it is compressed, and ${problem}`, { path: 'data', problem })
}

function tooLarge(limit: number): HubError {
  return new HubError('PAYLOAD_TOO_LARGE', `data is larger than ${limit} bytes`, { limit })
}
