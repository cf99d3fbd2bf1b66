/** What all drivers but the SDKs' say by single requests: history, and whatever the wire itself has no message for. */
import type { Answer, EventInput, Failure, HistoryRequest, HistoryResult, PublishResult } from '@hubbub/protocol'
import { Refused, type Credentials, type Heard, type Published } from '../gateway.js'

const REQUEST_MS = 20_000

export class HttpApi {
  constructor(private readonly url: string, private readonly credentials: Credentials) {}

  get headers(): Record<string, string> {
    const { token, project } = this.credentials
    return { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(project !== undefined && { 'x-hubbub-project': project }) }
  }

  address(path: string, query: readonly (readonly [string, string])[] = []): string {
    const text = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString()
    return `${this.url}/api/v1${path}${text === '' ? '' : `?${text}`}`
  }

  async get<T>(path: string, query: readonly (readonly [string, string])[] = [], signal?: AbortSignal): Promise<T> {
    const ended = signal ? AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]) : AbortSignal.timeout(REQUEST_MS)
    return (await told(await once(this.address(path, query), { headers: this.headers, signal: ended }))) as T
  }

  /** Answers as they come, refusals included. */
  async post<T>(path: string, body: unknown): Promise<T> {
    const init = { method: 'POST', headers: { ...this.headers, 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(REQUEST_MS) }
    return (await (await once(this.address(path), init)).json()) as T
  }

  async must<T extends object>(path: string, body: unknown): Promise<T> {
    return granted(await this.post<Answer<T>>(path, body))
  }

  async publish(inputs: EventInput[], ack?: 'accepted'): Promise<Published[]> {
    const answer = await this.post<{ results?: Answer<PublishResult>[]; error?: Failure }>(`/events${ack ? `?ack=${ack}` : ''}`, inputs)
    if (!answer.results) throw new Refused(answer.error!.code, answer.error!.message)
    return answer.results.map(publishedOf)
  }

  async history(request: HistoryRequest, signal?: AbortSignal): Promise<{ events: Heard[]; cursor: string; more: boolean; gap?: HistoryResult['gap'] }> {
    const result = await this.get<HistoryResult>('/history', queryOf(request), signal)
    return { ...result, events: result.events.map(({ event, cursor }) => ({ ...event, cursor })) }
  }
}

export function publishedOf(answer: Answer<PublishResult>): Published {
  if (!answer.ok) return { refused: answer.error.code }
  return { type: answer.type, ...(answer.duplicate && { duplicate: true }) }
}

export function granted<T extends object>(answer: Answer<T>): T {
  if (!answer.ok) throw new Refused(answer.error.code, answer.error.message)
  return answer
}

/** As history and the stream take it. */
export function queryOf({ topics, types, filter, since, ...rest }: HistoryRequest & { batchMs?: number; latestOnly?: boolean }): [string, string][] {
  const query: [string, string][] = topics.map((topic) => ['topic', topic])
  for (const type of types ?? []) query.push(['types', type])
  for (const [field, value] of Object.entries(filter ?? {})) query.push([`filter.${field}`, typeof value === 'string' ? JSON.stringify(value) : String(value)])
  if (since !== undefined) query.push(['since', typeof since === 'object' ? `last:${since.last}` : since])
  for (const [name, value] of Object.entries(rest)) query.push([name, String(value)])
  return query
}

/** A kept connection that was cut meanwhile is no failure of the hub: the request goes again, over a new one. */
async function once(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    return await fetch(address, init)
  }
}

/** @throws Refused */
export async function told(response: Response): Promise<unknown> {
  const body = (await response.json()) as { ok?: boolean; error?: Failure }
  if (!response.ok || body.error) throw new Refused(body.error?.code ?? String(response.status), body.error?.message)
  return body
}
