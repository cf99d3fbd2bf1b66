/**
 * Commits whose reply never came, and what became of Redis since. On the run of the server that was asked, the same commit again gets its
 * first result or is the first. Another run (restarted, promoted) may have lost what the first one executed and tails have read: were it
 * executed again there, in the same epoch, subscribers would get the same events twice, at other offsets, without a gap (I2). It is LOST
 * instead, and the owner begins a new epoch, against which every cursor is checked.
 */
import { ErrorReply } from 'redis'
import type { Batch } from '../port.js'
import type { RedisClient } from './connection.js'
import type { RedisContext } from './context.js'
import { SCRIPTS } from './scripts.js'
import { runOf } from './server-run.js'

interface Attempt {
  fence: string
  number: number
  /** Of the server that was asked first. */
  run: string | undefined
}

export class Attempts {
  /** Of each partition the last commit without a reply. */
  private readonly open = new Map<number, Attempt>()

  constructor(private readonly context: RedisContext) {}

  commit(partition: number, { fence, number }: Batch, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.context.call('commit', keys[0]!, (client) => this.attempt(client, partition, { fence, number, run: runOf(client) }, keys, args), SCRIPTS.commit)
  }

  private async attempt(client: RedisClient, partition: number, attempt: Attempt, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const found = this.open.get(partition)
    const before = found?.fence === attempt.fence && found.number === attempt.number ? found : undefined
    if (before && before.run !== attempt.run && !(await isCommitted(client, keys[0]!, attempt))) return ['lost']
    this.open.set(partition, before ?? attempt)
    try {
      const reply = await SCRIPTS.commit.run(client, keys, args)
      this.open.delete(partition)
      return reply
    } catch (error) {
      // Refused, so it was not executed now.
      if (error instanceof ErrorReply && !before) this.open.delete(partition)
      throw error
    }
  }
}

/** Or fenced: then the script says so. */
async function isCommitted(client: RedisClient, key: string, { fence, number }: Attempt): Promise<boolean> {
  const [holder, last] = await client.hmGet(key, ['fence', 'number'])
  return holder !== fence || last === String(number)
}
