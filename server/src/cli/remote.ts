/** Calls of the hub over HTTP, and clients of it over Socket.IO, for the commands that speak to a running one. */
import { connect, type Client, type ConnectOptions } from '@hubbub/client'
import { HubError, isFailureCode, type Failure } from '@hubbub/protocol'
import type { Remote } from './arguments.js'

const TIMEOUT_MS = 35_000

/** The answer's fields. Rejects with HubError: the hub's own failure, or UNAVAILABLE when it cannot be reached. */
export async function callHub(remote: Remote, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const headers: Record<string, string> = {}
  if (remote.token) headers['authorization'] = `Bearer ${remote.token}`
  if (remote.project) headers['x-hubbub-project'] = remote.project
  if (body) headers['content-type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch(`${remote.url}${path}`, { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS), ...(body && { body: JSON.stringify(body) }) })
  } catch (error) {
    throw unreachable(remote, error)
  }
  const text = await answer.text()
  const fields = parseObject(text)
  if (!fields) throw new HubError('INTERNAL_ERROR', `${remote.url}${path} answered ${answer.status} without JSON; is that a hub?`)
  if (fields['ok'] !== true) throw failureOf(fields['error'])
  return fields
}

/** Resolves when connected. Rejects on the first failure: somebody is waiting in front of it. Later ones are retried. */
export async function openClient(remote: Remote, options: ConnectOptions = {}): Promise<Client> {
  const { url, token, project } = remote
  const client = connect(url, { ...(token && { token }), ...(project && { project }), ...options })
  try {
    await new Promise<void>((resolve, reject) => {
      const off = client.onError((error) => reject(error.code === 'UNAVAILABLE' ? unreachable(remote, error.cause) : error))
      client.ready().then(resolve, reject).finally(off)
    })
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

function unreachable({ url }: Remote, cause: unknown): HubError {
  return new HubError('UNAVAILABLE', `Cannot reach the hub at ${url}; is it running, and is HUBBUB_URL right?`, undefined, { cause })
}

function failureOf(thing: unknown): HubError {
  const { code, message, details } = (thing ?? {}) as Partial<Failure>
  const text = typeof message === 'string' ? message : 'The hub gave no reason.'
  return isFailureCode(code) ? new HubError(code, text, details) : new HubError('INTERNAL_ERROR', `${String(code)}: ${text}`, details)
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
