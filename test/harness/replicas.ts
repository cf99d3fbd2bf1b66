/** What masters and replicas of the tests say of themselves. */
import { createClient } from 'redis'
import { eventually } from './eventually.js'
import type { RedisProcess } from './redis.js'

/** A command on a connection of its own. */
export async function commandTo(node: Pick<RedisProcess, 'port'>, ...args: string[]): Promise<unknown> {
  const client = createClient({ url: `redis://127.0.0.1:${node.port}`, socket: { reconnectStrategy: false, connectTimeout: 2000 } })
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.sendCommand<unknown>(args)
  } finally {
    client.destroy()
  }
}

export async function infoOf(node: Pick<RedisProcess, 'port'>, section: string): Promise<Map<string, string>> {
  const text = String(await commandTo(node, 'INFO', section))
  return new Map(text.split('\r\n').flatMap((line) => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])))
}

/** A replica that never finished its first copy is never promoted. */
export async function inSync(replica: Pick<RedisProcess, 'port'>): Promise<void> {
  await eventually(async () => (await infoOf(replica, 'replication')).get('master_link_status') === 'up', `the replica on port ${replica.port} in sync`, 20_000)
}

/** Has the replica everything that the master has? */
export async function caughtUp(master: Pick<RedisProcess, 'port'>, replica: Pick<RedisProcess, 'port'>): Promise<void> {
  const offsetOf = async (node: Pick<RedisProcess, 'port'>) => Number((await infoOf(node, 'replication')).get('master_repl_offset'))
  await eventually(async () => (await offsetOf(replica)) >= (await offsetOf(master)), `the replica on port ${replica.port} at the master's offset`, 20_000)
}
