/** A redis-server with the users of `k8s/redis/users.acl`, as an operator sets it up: the file's lines, and a password for each. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createClient } from 'redis'
import { startRedis, type RedisProcess } from '../../harness/redis.js'

export const USERS = ['hubbub', 'hubbub-writer', 'hubbub-monitor'] as const
export type User = (typeof USERS)[number]

export interface AclRedis {
  redis: RedisProcess
  /** With user and password in it. */
  urlOf(user: User): string
  /** As that user, or as an admin whom only the test has. */
  send(user: User | 'admin', ...command: string[]): Promise<unknown>
  /** What was refused since the last look: user, and what it was. */
  denials(): Promise<string[]>
  stop(): Promise<void>
}

export async function startAclRedis(): Promise<AclRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'hubbub-acl-'))
  const file = join(folder, 'users.acl')
  const password = randomBytes(16).toString('hex')
  const hash = createHash('sha256').update(password).digest('hex')
  const shipped = await readFile(resolve('k8s/redis/users.acl'), 'utf8')
  await writeFile(file, `${shipped.replaceAll(/^user \S+ on/gm, `$& #${hash}`)}user admin on #${hash} ~* &* +@all\n`)
  const redis = await startRedis({ args: ['--save', '', '--aclfile', file] })
  const urlOf = (user: string) => redis.url.replace('//', `//${user}:${password}@`)
  const send = async (user: string, ...command: string[]) => {
    const client = await createClient({ url: urlOf(user) }).connect()
    try {
      return await client.sendCommand<unknown>(command)
    } finally {
      client.destroy()
    }
  }
  await send('admin', 'ACL', 'LOG', 'RESET')
  return {
    redis,
    urlOf,
    send,
    async denials() {
      const client = await createClient({ url: urlOf('admin') }).connect()
      const log = await client.aclLog()
      await client.aclLogReset()
      client.destroy()
      return log.map(({ username, reason, object }) => `${username}: ${reason} ${object}`)
    },
    async stop() {
      await redis.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
