/** What an operator types: settings and arguments. Taken and meant, or refused in one line that names what, and shows no secret. */
import * as fc from 'fast-check'
import { readCall, readRemote, UsageError, type Flags } from '../../server/src/cli/arguments.js'
import { readSettings, SettingError, settingsWith } from '../../server/src/settings/read.js'
import { SETTINGS, type Setting, type SettingName } from '../../server/src/settings/table.js'
import { createRandom, type Random } from '../faults/random.js'
import { mutateText, strangeText } from './mutate.js'
import { always, holds, often } from './seed.js'

const NAMES = Object.keys(SETTINGS) as SettingName[]
const MARK = 'a-secret-nobody-should-see'

function someValue(random: Random, setting: Setting): string {
  const { value } = setting
  const choice = random.integer(0, 5)
  if (choice === 0) return strangeText(random)
  if (choice === 1) return mutateText(random, setting.default)
  if (value.kind === 'integer') return String(random.pick([value.min, value.max, value.min - 1, value.max + 1, 0, -1, 1.5, 1e21, value.min + random.integer(0, 1000)]))
  if (value.kind === 'choice') return random.chance(0.8) ? random.pick(value.of) : random.pick(value.of).toUpperCase()
  return random.pick(['none', 'x=1', '*=5', '10.0.0.0/8', '10.0.0.0/99', 'redis://u:p@h:1', 'agents,github', '1', '::1', '999', '0', '1:2:3', 'a,b'])
}

describe('settings', () => {
  test('of any environment are read as the table says, or refused with the variable\'s name', () => {
    let taken = 0
    const make = (random: Random) => Object.fromEntries(Array.from({ length: random.integer(1, 3) }, () => random.pick(NAMES)).map((name) => [SETTINGS[name].env, someValue(random, SETTINGS[name])]))
    often(2500, make, (env) => {
      let settings
      try {
        settings = readSettings(env)
      } catch (error) {
        if (!(error instanceof SettingError)) throw error
        expect(Object.keys(env).some((name) => error.message.includes(name))).toBe(true)
        expect(error.message).toContain('allowed')
        return
      }
      taken++
      for (const name of NAMES) {
        const { value } = SETTINGS[name] as Setting
        const held = settings[name]
        if (value.kind === 'integer') expect(Number.isSafeInteger(held) && Number(held) >= value.min && Number(held) <= value.max).toBe(true)
        else if (value.kind === 'choice') expect(value.of).toContain(held)
        else expect(typeof held).toBe('string')
      }
      // Read again from what was read, they are the same.
      expect(settingsWith(settings)).toEqual(settings)
    })
    expect(taken).toBeGreaterThan(400)
  })

  test('show no secret in a refusal, wherever it stands', () => {
    often(800, (random) => ({ name: random.pick(NAMES), noise: strangeText(random) }), ({ name, noise }) => {
      const { env } = SETTINGS[name]
      // Whatever is a secret, or holds one: passwords in URLs.
      const text = env.includes('SECRET') ? MARK : `redis://user:${MARK}@host${noise.replaceAll('@', '')}`
      try {
        readSettings({ [env]: text })
      } catch (error) {
        expect(error).toBeInstanceOf(SettingError)
        expect((error as Error).message.includes(MARK)).toBe(false)
      }
    })
  })
})

const FLAGS: Flags = {
  url: { value: 'URL', env: 'X_URL', default: 'http://127.0.0.1:4000', about: '' }, token: { value: 'TOKEN', env: 'X_TOKEN', about: '' }, project: { value: 'P', env: 'X_PROJECT', about: '' },
  limit: { value: 'N', short: 'n', env: 'X_LIMIT', about: '' }, quiet: { short: 'q', env: 'X_QUIET', about: '' }, topics: { value: 'T', env: 'X_TOPICS', isList: true, about: '' },
}

describe('the command line', () => {
  test('is read back as it was written', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9.:/*_]{1,12}$/)
    const given = fc.record({ url: word, project: word, limit: fc.nat({ max: 1000 }), topics: fc.array(word, { minLength: 1, maxLength: 4 }), quiet: fc.boolean(), words: fc.array(word, { maxLength: 3 }) })
    holds(1500, fc.property(given, fc.boolean(), ({ url, project, limit, topics, quiet, words }, isJoined) => {
      const argv = [...words, isJoined ? `--url=${url}` : '--url', ...(isJoined ? [] : [url]), '--project', project, '-n', String(limit), ...(isJoined ? [`--topics=${topics.join(',')}`] : topics.flatMap((topic) => ['--topics', topic])), ...(quiet ? ['-q'] : [])]
      const call = readCall(FLAGS, argv, {})
      expect([call.words, call.text('url'), call.text('project'), call.integer('limit', 0, 1000), call.list('topics'), call.on('quiet')]).toEqual([words, url, project, limit, topics, quiet])
    }))
  })

  test('of anything is read, or refused with a usage error of one line', () => {
    const argument = fc.oneof(fc.string(), fc.integer().map((seed) => strangeText(createRandom(seed))), fc.constantFrom('--', '-', '--url', '--url=', '--no-url', '--__proto__', '--__proto__=1', '--constructor', '-qqq', '-n5', '--limit=1e3', '--topics', '--quiet=1', '--help', '-h'))
    const env = fc.dictionary(fc.constantFrom('X_URL', 'X_TOKEN', 'X_LIMIT', 'X_QUIET', 'X_TOPICS', '__proto__'), fc.string({ maxLength: 8 }))
    always(4000, fc.tuple(fc.array(argument, { maxLength: 5 }), env), ([argv, environment]) => {
      try {
        const call = readCall(FLAGS, argv, environment)
        call.on('quiet')
        const limit = call.integer('limit', 0, 10)
        if (limit !== undefined) expect(limit >= 0 && limit <= 10).toBe(true)
        for (const topic of call.list('topics') ?? []) expect(topic).toMatch(/^[^,]+$/)
        const remote = readRemote(call)
        expect(URL.canParse(remote.url)).toBe(true)
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        expect(error.message.length).toBeGreaterThan(0)
      }
    })
  })
})
