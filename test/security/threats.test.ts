/** SECURITY.md names for each threat the tests that show how it is met: each of those tests exists, and no row is empty. */
import { readFileSync } from 'node:fs'
import { isTest } from '../shared/testNames.js'

const text = readFileSync('SECURITY.md', 'utf8')

interface Threat {
  threat: string
  met: string
  shown: string
}

function threatsIn(document: string): Threat[] {
  const [section = ''] = document.split('\n## Threats\n').slice(1).join('').split('\n## ')
  const rows = section.split('\n').filter((line) => line.startsWith('|')).slice(2)
  return rows.map((line) => {
    const [, threat = '', met = '', shown = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return { threat, met, shown }
  })
}

/** What is wrong with the row, in words. */
function faultsOf({ threat, met, shown }: Threat): string[] {
  const faults = [...(threat === '' ? ['it names no threat'] : []), ...(met === '' ? ['it does not say how it is met'] : [])]
  for (const part of shown.split('<br>')) {
    const [, file, name] = /^`([^`]+)` › (.+)$/.exec(part) ?? []
    if (file === undefined || name === undefined) faults.push(`it names no test: '${part}'`)
    else if (!isTest(file, name)) faults.push(`no such test: ${part}`)
  }
  return faults
}

test('every threat says how it is met, by tests that exist', () => {
  const threats = threatsIn(text)
  expect(threats.flatMap((threat) => faultsOf(threat).map((fault) => `${threat.threat.slice(0, 60)}: ${fault}`))).toEqual([])
  expect(threats.length).toBeGreaterThan(30)
  expect(new Set(threats.map(({ threat }) => threat)).size).toBe(threats.length)
})

test('a row that says nothing, or names what there is not, is found', () => {
  const here = '`test/security/threats.test.ts` › every threat says how it is met, by tests that exist'
  const row = (threat: string, met: string, shown: string) => faultsOf(threatsIn(`\n## Threats\n\n| a | b | c |\n| - | - | - |\n| ${threat} | ${met} | ${shown} |\n\n## Else\n`)[0]!).length
  expect(row('x', 'y', here)).toBe(0)
  const wrong = [row('', 'y', here), row('x', '', here), row('x', 'y', ''), row('x', 'y', here.replace('every', 'no')), row('x', 'y', here.replace('threats.test', 'threads.test')), row('x', 'y', `${here}<br>by hand`)]
  expect(wrong).toEqual(wrong.map(() => 1))
})
