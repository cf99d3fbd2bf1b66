/** A schema for results is its project's, the processor is everybody's: none may hold it up (I5, I6). */
import { problemsOfResult } from '../../server/src/processor/rules/results.js'
import { checkResultSchema } from '../../server/src/operations/result-schema.js'

/** Each step asks twice for the next one: short, not circular, and 2^30 checks. */
const DOUBLING = {
  $defs: Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`d${at}`, at === 29 ? { type: 'integer' } : { allOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] }])),
  $ref: '#/$defs/d0',
}

const ENDLESS: [string, Record<string, unknown>, unknown][] = [
  ['a pattern that backtracks', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(50)}b`],
  ['a pattern of names that does', { type: 'object', patternProperties: { '^(\\w+\\s?)*$': { type: 'null' } } }, { [`${'word '.repeat(30)}!`]: null }],
  ['polynomial patterns on a long text', { type: 'string', pattern: '^a*a*a*a*a*$' }, `${'a'.repeat(20_000)}b`],
  ['references that double', DOUBLING, 1],
]

test.each(ENDLESS)('%s is stopped, and is not tried again', (_what, schema, result) => {
  const begun = performance.now()
  const problems = problemsOfResult(checkResultSchema(schema), result)
  for (let again = 0; again < 1000; again++) expect(problemsOfResult(schema, result)).toEqual(problems)
  expect(problems).toEqual([{ path: 'result', problem: expect.stringContaining('cannot be checked') as string }])
  // One that is not stopped takes hours.
  expect(performance.now() - begun).toBeLessThan(10_000)
}, 60_000)

test('an honest one is checked as before, by whatever it says', () => {
  const schema = { type: 'object', required: ['branch'], properties: { branch: { type: 'string', pattern: '^[a-z/-]+$' } } }
  for (let again = 0; again < 100; again++) expect(problemsOfResult(schema, { branch: `feature/${'x'.repeat(60_000)}` })).toBeUndefined()
  expect(problemsOfResult(schema, { branch: 'Feature' })).toEqual([{ path: 'result.branch', problem: expect.any(String) as string }])
  expect(problemsOfResult(schema, {})).toHaveLength(1)
})
