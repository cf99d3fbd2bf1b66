import { createClient } from 'redis'
import { startHub, type HubProcess } from '../harness/hub.js'
import { eventually } from '../harness/eventually.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { SECRET } from '../harness/token.js'
import { command } from './command.js'

/** CRC16 puts project `default` there, with one partition. */
const STREAM = 'hubbub:{p0}:source:workflows'

let redis: RedisProcess
let hub: HubProcess
let env: Record<string, string>
let client: ReturnType<typeof createClient>

beforeAll(async () => {
  redis = await startRedis()
  hub = await startHub({ redis: redis.url, args: ['--partitions', '1'] })
  const signed = await command(['token', '--sub', 'operator', '--role', 'admin'], { HUBBUB_JWT_SECRET: SECRET })
  env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: signed.stdout.trim() }
  client = createClient({ url: redis.url })
  await client.connect()
})

afterAll(async () => {
  client.destroy()
  await hub.stop()
  await redis.stop()
})

interface Letter {
  partition: number
  id: string
  code: string
  fields: Record<string, string>
}

async function letters(): Promise<Letter[]> {
  const { stdout } = await command(['dead', 'list', '--json'], env)
  return stdout.trimEnd().split('\n').filter(Boolean).map((line) => JSON.parse(line) as Letter)
}

test('an admin lists, shows and drops what could not be committed, also what is of no project', async () => {
  await client.xAdd(STREAM, '*', { event: 'not json' })
  const [letter] = await eventually(async () => {
    const found = await letters()
    return found.length === 1 && found
  })
  expect(letter).toMatchObject({ code: 'INVALID_MESSAGE', fields: { event: 'not json' } })
  const id = `${letter!.partition}/${letter!.id}`
  expect(JSON.parse((await command(['dead', 'show', id], env)).stdout)).toMatchObject({ id: letter!.id, stream: 'workflows' })
  expect(await command(['dead', 'drop', id], env)).toMatchObject({ code: 0, stdout: expect.stringContaining(letter!.id) as string })
  expect(await letters()).toEqual([])
  expect(await command(['dead', 'drop', id], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') as string })
})

test('what is replayed is judged anew, and refused anew with its reason', async () => {
  await client.xAdd(STREAM, '*', { event: JSON.stringify({ id: 'late', type: 'no.such_type', data: {} }) })
  const [letter] = await eventually(async () => {
    const found = await letters()
    return found.length === 1 && found
  })
  expect(await command(['dead', 'replay', `${letter!.partition}/${letter!.id}`], env)).toMatchObject({ code: 0 })
  await eventually(async () => {
    const [again] = await letters()
    return again !== undefined && again.id !== letter!.id && again.code === 'UNKNOWN_TYPE'
  })
})
