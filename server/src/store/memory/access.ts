import type { AccessRecords } from '../port.js'
import type { MemoryContext } from './context.js'

export function accessRecords(context: MemoryContext): AccessRecords {
  const { keys, revokedKeys, revokedSubjects } = context
  return {
    async putKey(key) {
      keys.set(key.id, structuredClone(key))
      if (key.revokedAt === undefined) revokedKeys.delete(key.id)
      else revokedKeys.add(key.id)
    },
    async getKey(id) {
      const key = keys.get(id)
      return key ? structuredClone(key) : null
    },
    async listKeys() {
      return [...keys.values()].map((key) => structuredClone(key)).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    },
    async revokeSubject(subject, at) {
      revokedSubjects.set(subject, Math.max(at, revokedSubjects.get(subject) ?? 0))
    },
    async revocations() {
      return { keys: new Set(revokedKeys), subjects: new Map(revokedSubjects) }
    },
  }
}
