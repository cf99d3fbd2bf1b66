/** Every gateway's parser, with messages that are nearly valid: each is taken or refused with a code that blames the sender; nothing is the hub's fault (I5). */
import { HubError, isFailureCode } from '@hubbub/protocol'
import { createRandom } from '../faults/random.js'
import { eventually } from '../harness/eventually.js'
import { embed, type Embedded } from './embedded.js'
import { requireCleanPrototypes, shown } from './report.js'
import { SEED } from './seed.js'
import { ADMIN, DIALECTS, hubTargets } from './speakers.js'
import { FUNCTION_TARGETS, type Target } from './targets.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1)
const EACH = 800 * RUNS

let embedded: Embedded
let targets: Target[]
beforeAll(async () => {
  embedded = await embed()
  targets = [...hubTargets(embedded), ...FUNCTION_TARGETS]
}, 60_000)
afterAll(async () => {
  for (const target of targets) target.close?.()
  await embedded.close()
})

const NAMES = ['Socket.IO messages', 'Socket.IO packets', ...Object.keys(DIALECTS), ...FUNCTION_TARGETS.map(({ gateway }) => gateway)]

test.each(NAMES)('%s', async (name) => {
  const target = targets.find(({ gateway }) => gateway === name)!
  const outcomes = new Map<string, number>()
  for (let at = 0; at < EACH; at++) {
    // A seed of its own, so that one input can be had again.
    const seed = SEED + at
    let input: unknown
    try {
      const outcome = await target.fire(createRandom(seed), (made) => (input = made))
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\ninput: ${shown(input)}`, { cause: error })
    }
  }
  requireCleanPrototypes()
  expect(embedded.errors.slice(0, 3)).toEqual([])
  // Both ends are reached: neither is everything refused, nor everything taken. (Of GitHub's deliveries everything is: what is missing is missing.)
  expect(outcomes.size).toBeGreaterThan(name === 'POST /webhooks/github' ? 0 : 1)
  expect(outcomes.get('accepted') ?? 0).toBeGreaterThan(EACH * 0.03)
}, 60_000)

test('are all tried', () => expect(targets.map(({ gateway }) => gateway)).toEqual(NAMES))

// What `toString` of a plain object is stood in for the field's name, and stopped the fan-out of the whole partition.
test('a filter by a name that every object has takes nothing, and nothing from anybody else', async () => {
  const strange = await embedded.open(ADMIN, '/ws')
  for (const name of ['toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf']) expect(await strange.say('subscribe', [{ topics: ['task:*'], filter: { [name]: 1 } }])).toMatchObject({ ok: true })
  const plain = await embedded.open(ADMIN, '/ws?topics=task:*')
  for (let progress = 1; progress <= 3; progress++) expect(await plain.say('publish', [{ type: 'task.progress', data: { taskId: 'filtered', progress } }])).toMatchObject({ ok: true })
  await eventually(() => plain.given >= 3, 'three events for whoever filters nothing')
  expect(strange.given).toBe(0)
  for (const client of [strange, plain]) client.close()
})

// Found by two million inputs; a name that no `String()` can be made of was an INTERNAL_ERROR.
test.each(['/ws/:project', '/ws/tasks/:taskId'])('%s refuses names that are objects with methods of their own', async (gateway) => {
  const { way, form: [name] } = DIALECTS[gateway]!
  const client = await embedded.open(ADMIN, way)
  const strange = { toString: 1, valueOf: null }
  for (const message of [{ [name]: strange }, { [name]: 'subscribe', payload: { events: [strange] } }, { [name]: 'task.progress', data: { taskId: strange } }]) {
    const codes = await client.hear(message).then(() => client.taken(), (error: unknown) => [error instanceof HubError ? error.code : String(error)])
    expect(codes.length).toBeGreaterThan(0)
    expect(codes.filter((code) => !isFailureCode(code) || code === 'INTERNAL_ERROR')).toEqual([])
  }
  client.close()
})

test('and behind all of it a valid event still goes through', async () => {
  const client = await embedded.open(ADMIN, '/ws?topics=task:behind')
  expect(await client.say('publish', [{ id: 'behind', type: 'task.progress', data: { taskId: 'behind', progress: 1 } }])).toMatchObject({ ok: true, id: 'behind' })
  await eventually(async () => (await embedded.hub.operations.entities.find(ADMIN, 'task', 'behind')).entity, 'the task that it tells of')
  client.close()
})
