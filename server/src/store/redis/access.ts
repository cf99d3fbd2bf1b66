/** API keys and revocations: of the whole hub, not of a partition. */
import type { AccessRecords, ApiKeyRecord } from '../port.js'
import type { RedisContext } from './context.js'
import { GLOBAL } from './keys.js'
import { SCRIPTS } from './scripts.js'

export function accessRecords(context: RedisContext): AccessRecords {
  const { connection } = context
  return {
    async putKey(key) {
      await connection.call('putKey', async (client) => {
        // The revocation first: a failure between the two leaves a key refused, not let in.
        if (key.revokedAt !== undefined) await client.hSet(GLOBAL.revoked, `key:${key.id}`, String(key.revokedAt))
        await client.hSet(GLOBAL.keys, key.id, JSON.stringify(key))
        if (key.revokedAt === undefined) await client.hDel(GLOBAL.revoked, `key:${key.id}`)
      })
    },
    async getKey(id) {
      const text = await connection.call('getKey', (client) => client.hGet(GLOBAL.keys, id))
      return text ? (JSON.parse(text) as ApiKeyRecord) : null
    },
    async listKeys() {
      const texts = await connection.call('listKeys', (client) => client.hVals(GLOBAL.keys))
      return texts.map((text) => JSON.parse(text) as ApiKeyRecord).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    },
    async revokeSubject(subject, at) {
      await context.run('revokeSubject', SCRIPTS.revokeSubject, [GLOBAL.revoked], [`subject:${subject}`, String(at)])
    },
    async revocations() {
      const fields = await connection.call('revocations', (client) => client.hGetAll(GLOBAL.revoked))
      const keys = new Set<string>()
      const subjects = new Map<string, number>()
      for (const [field, at] of Object.entries(fields)) {
        if (field.startsWith('key:')) keys.add(field.slice(4))
        else subjects.set(field.slice('subject:'.length), Number(at))
      }
      return { keys, subjects }
    },
  }
}
