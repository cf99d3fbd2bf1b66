/** API keys and revocations: of the whole hub, not of a partition. */
import type { AccessRecords, ApiKeyRecord } from '../port.js'
import type { RedisContext } from './context.js'
import { GLOBAL } from './keys.js'
import { SCRIPTS } from './scripts.js'

export function accessRecords(context: RedisContext): AccessRecords {
  return {
    async putKey(key) {
      const field = `key:${key.id}`
      const { revokedAt } = key
      // The revocation first: a failure between the two leaves a key refused, not let in. Two slots of a Cluster, so two calls.
      if (revokedAt !== undefined) await context.call('putKey', GLOBAL.revoked, (client) => client.hSet(GLOBAL.revoked, field, String(revokedAt)))
      await context.call('putKey', GLOBAL.keys, (client) => client.hSet(GLOBAL.keys, key.id, JSON.stringify(key)))
      if (revokedAt === undefined) await context.call('putKey', GLOBAL.revoked, (client) => client.hDel(GLOBAL.revoked, field))
    },
    async getKey(id) {
      const text = await context.call('getKey', GLOBAL.keys, (client) => client.hGet(GLOBAL.keys, id))
      return text ? (JSON.parse(text) as ApiKeyRecord) : null
    },
    async listKeys() {
      const texts = await context.call('listKeys', GLOBAL.keys, (client) => client.hVals(GLOBAL.keys))
      return texts.map((text) => JSON.parse(text) as ApiKeyRecord).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    },
    async revokeSubject(subject, at) {
      await context.run('revokeSubject', SCRIPTS.revokeSubject, [GLOBAL.revoked], [`subject:${subject}`, String(at)])
    },
    async revocations() {
      const fields = await context.call('revocations', GLOBAL.revoked, (client) => client.hGetAll(GLOBAL.revoked))
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
