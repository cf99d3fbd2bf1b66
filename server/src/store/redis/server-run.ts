/**
 * Which run of which server a client speaks to. The same run has lost nothing; another one (started again, or promoted) may lack what
 * this process saw happen.
 */
import { ErrorReply } from 'redis'
import type { RedisClient } from './dial.js'

const runs = new WeakMap<RedisClient, string>()
let unknown = 0

export async function rememberRun(client: RedisClient): Promise<void> {
  const text = await client.info('server').catch((error: unknown) => {
    if (error instanceof ErrorReply) return ''
    throw error
  })
  // Where INFO is forbidden every connection counts as another run: nothing is taken for safe that is not known to be.
  runs.set(client, /^run_id:(\w+)/m.exec(text)?.[1] ?? `unknown-${++unknown}`)
}

export function runOf(client: RedisClient): string | undefined {
  return runs.get(client)
}
