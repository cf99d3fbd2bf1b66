/** An operator's questions at the same time have one token, and one renewal of it. */
import { createOperator } from '../../client-sdk/typescript/src/operator.js'
import { settle } from '../../client-sdk/typescript/src/options.js'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { silent } from '../../server/src/observe/log.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { SECRET, token } from '../harness/token.js'

let hub: RunningHub
beforeAll(async () => {
  hub = await startHub({ log: silent, settings: settingsWith({ port: 0, jwtSecret: SECRET }) })
})
afterAll(() => hub.close())

const OPERATOR = { sub: 'root', projects: ['*'], project: 'default' }

function operatorWith(tokens: string[]) {
  const fetched: string[] = []
  const next = async (): Promise<string> => {
    fetched.push(tokens[Math.min(fetched.length, tokens.length - 1)]!)
    return Promise.resolve(fetched.at(-1)!)
  }
  return { fetched, operator: createOperator(hub.url, settle({ token: next })) }
}

test('three questions at once fetch one token', async () => {
  const { fetched, operator } = operatorWith([token(OPERATOR)])
  await Promise.all([operator.overview(), operator.deadLetters(), operator.overview()])
  await operator.overview()
  expect(fetched).toHaveLength(1)
})

test('a token that the hub no longer takes is renewed once for all who asked with it', async () => {
  const { fetched, operator } = operatorWith([token(OPERATOR, 'a secret that the hub no longer has, of 32'), token(OPERATOR)])
  await Promise.all([operator.overview(), operator.deadLetters(), operator.overview()])
  expect(fetched).toHaveLength(2)
  const { fetched: never, operator: refused } = operatorWith([token(OPERATOR, 'a secret that the hub no longer has, of 32')])
  await expect(refused.overview()).rejects.toMatchObject({ code: expect.stringMatching(/^AUTH|TOKEN/) as string })
  expect(never).toHaveLength(2)
})
