/** Whether what stands in the journal may stand there: judged from Redis' own answer, by ajv and by hand. */
import { Ajv, type ValidateFunction } from 'ajv'
import { findEntry } from '@hubbub/protocol/catalogue'
import type { RawEntry } from './rawRedis.js'

/** Of the data's JSON; AG-UI snapshots may have a MiB. */
const MOST_BYTES = 65_536
const MOST_LEVELS = 32
const TOPIC = /^(system|project|(agent|task|pipeline|stream|checkpoint|run|thread|repo|pr|branch|issue|workflow_run|connection|inbox):[^\s*\p{Cc}\p{Cs}]{1,256})$/u

const ajv = new Ajv({ strict: false })
const validators = new Map<string, ValidateFunction>()

/** One line for each fault; empty when every entry is a well-formed event of its project, in an unbroken chain. */
export function faultsOf(entries: readonly RawEntry[]): string[] {
  return entries.flatMap((entry, at) => {
    const faults = [...faultsOfFields(entry), ...faultsOfEvent(entry.fields['event'] ?? '')]
    const before = entries[at - 1]
    if (before && entry.fields['prev'] !== before.id) faults.push(`does not follow ${before.id}`)
    return faults.map((fault) => `${entry.partition}/${entry.id}: ${fault}`)
  })
}

function faultsOfFields({ fields }: RawEntry): string[] {
  const names = Object.keys(fields).sort().join(' ')
  return names === 'bytes epoch event prev' || names === 'bytes epoch event origin prev' ? [] : [`has the fields ${names}`]
}

function faultsOfEvent(text: string): string[] {
  const event = JSON.parse(text) as Record<string, unknown>
  const { id, type, timestamp, project, topics, data, metadata } = event
  const faults: string[] = []
  const must = (holds: boolean, what: string) => void (holds || faults.push(`${String(id).slice(0, 40)}: ${what}`))
  must(Object.keys(event).sort().join(' ') === 'data id metadata project timestamp topics type', `has the fields ${Object.keys(event).join(' ')}`)
  must(typeof id === 'string' && /^[^\p{Cc}\p{Cs}]{1,128}$/u.test(id), 'its id')
  must(Number.isSafeInteger(timestamp) && (timestamp as number) > 1e11, `its timestamp ${String(timestamp)}`)
  must(typeof project === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(project), `its project ${String(project)}`)
  must(Array.isArray(topics) && topics.length >= 1 && topics.length <= 16 && topics.every((topic) => TOPIC.test(String(topic))) && new Set(topics).size === topics.length, `its topics ${JSON.stringify(topics)}`)
  const { source, recordedAt, version } = (metadata ?? {}) as Record<string, unknown>
  must(typeof source === 'string' && /^(\/hub$|\/(agents|services|users|streams)\/|https:\/\/github\.com)/.test(source), `its source ${String(source)}`)
  must(Number.isSafeInteger(recordedAt) && typeof version === 'string', 'its metadata')
  must(!/"(__proto__|constructor|prototype)":/.test(text), 'has a forbidden key')
  must(Buffer.byteLength(JSON.stringify(data)) <= MOST_BYTES || /^agui\..*_snapshot$/.test(String(type)), 'is too large')
  must(levelsOf(data) <= MOST_LEVELS, 'is nested too deep')
  const validate = validatorOf(String(type))
  if (!validate) return [...faults, `${String(type)} is no type`]
  must(validate(data), `its data: ${ajv.errorsText(validate.errors)}`)
  return faults
}

function validatorOf(type: string): ValidateFunction | undefined {
  const entry = findEntry(type)
  if (!entry) return undefined
  let validate = validators.get(entry.type)
  if (!validate) validators.set(entry.type, (validate = ajv.compile(entry.schema)))
  return validate
}

function levelsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf))
}
