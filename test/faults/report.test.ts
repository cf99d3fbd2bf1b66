/** What a fault run prints at its end. */
import { createChecker } from './checker.js'
import { mark, offset, PROJECT, range, tellStory } from './checkerStory.js'
import { report } from './report.js'

function dropOne(name: string) {
  const story = tellStory()
  const { checker, clock, commit, deliver } = story
  const kill = checker.faultBegan('kill', `worker 2, of ${name}`)
  clock.ms = 1500
  commit(range(0, 30))
  deliver(range(0, 29))
  checker.faultEnded(kill)
  clock.ms = 2000
  commit([30])
  deliver([30])
  return story.end().verdict
}

test('a table by kind of fault, the totals, and each violation with what was told last of its subscriber', () => {
  const lines = report(dropOne('us'), 'abc-17').split('\n')
  expect(lines.slice(0, 4)).toEqual([
    'seed abc-17: 30 events checked in 0.0 min, 1 violations',
    '',
    'fault  count  seconds  events during',
    'kill       1      1.5             29',
  ])
  expect(lines).toContain('checked during faults  29 (96.7 %)')
  const at = lines.findIndex((line) => line.startsWith('I2'))
  expect(lines[at]).toBe(`I2  2.00 s  all: event 0:29 at ${offset(29)} was skipped: event 0:30 came instead`)
  expect(lines[at + 1]).toBe('    faults then: kill worker 2, of us')
  const records = lines.slice(at + 2).filter((line) => line !== '')
  expect(records.length).toBeLessThanOrEqual(20)
  expect(records.at(-1)).toMatch(/^ +\d\.\d\d s {2}delivered {2}event 0:30 +1800000000030-0 +subscriber 0$/)
  // What became of the event, and what its subscriber was given before.
  for (const told of ['published  event 0:29 ', 'committed  event 0:29 ', 'acked      event 0:29 ', 'delivered  event 0:28 ']) expect(records.join('\n')).toContain(told)
  expect(records.filter((line) => line.includes('delivered'))).toHaveLength(10)
})

test('of a hostile name nothing moves a cursor or turns a line around', () => {
  const text = report(dropOne('\u001b[2J\u202ereven\nI1'), 1)
  for (const hostile of ['\u001b', '\u202e', '\nI1']) expect(text).not.toContain(hostile)
})

test('ten thousand violations: two hundred told, all counted', () => {
  const { checker, all, end, commit } = tellStory()
  commit(range(0, 10_000))
  checker.delivered(all, PROJECT, mark(9999), offset(9999))
  const { verdict } = end()
  expect(verdict.violations).toHaveLength(200)
  expect(verdict.violationCount).toBe(9999 + 5000)
  expect(report(verdict, 1)).toMatch(/\nand 14,799 more\n$/)
})

test('no faults, no violations', () => {
  expect(report(createChecker({ now: () => 0 }).verdict(), 1)).toMatch(/^seed 1: 0 events checked in 0\.0 min, 0 violations\n\nno faults\n\npublished +0\n[^]*violations +0\n$/)
})
