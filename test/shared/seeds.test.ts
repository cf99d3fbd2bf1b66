/** `test/SEEDS.md` names a test for each that older designs ask for: each of those tests exists, and no row is lost or left empty. */
import { readFileSync } from 'node:fs'
import { isTest } from './testNames.js'

/** What a row may name in place of a test. */
const LATER = ['later: measured speed']
const text = readFileSync('test/SEEDS.md', 'utf8')

interface Row {
  number: number
  words: string
  shown: string
}

function rowsOf(design: string): Row[] {
  const [section = ''] = text.split(`\n## Design ${design}:`).slice(1).join('').split('\n## ')
  return section.split('\n').filter((line) => /^\| *\d/.test(line)).map((line) => {
    const [, number, words = '', shown = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return { number: Number(number), words, shown }
  })
}

/** What is wrong with the row, in words. */
function faultsOf({ words, shown }: Row): string[] {
  const faults = words === '' ? ['it says nothing'] : []
  for (const part of shown.split('<br>')) {
    if (LATER.some((later) => part === later || part.startsWith(`${later} (`))) continue
    const [, file, name] = /^`([^`]+)` › (.+)$/.exec(part) ?? []
    if (file === undefined || name === undefined) faults.push(`it names neither a test nor what comes later: '${part}'`)
    else if (!isTest(file, name)) faults.push(`no such test: ${part}`)
  }
  return faults
}

/** How many there are of each, counted in the designs themselves. */
const DESIGNS: [design: string, count: number, said: string][] = [
  ['000', 112, '112 anchors'], ['002', 17, 'It counts 17 tests'], ['003', 34, 'It counts 34 tests'], ['004', 29, 'It has 29 entries'],
]

describe.each(DESIGNS)('the table of design %s', (design, count, said) => {
  const rows = rowsOf(design)

  test('has all of its rows, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, at) => at + 1))
    expect(text).toContain(said)
  })

  test('names in each row tests that exist, or the work to which it belongs', () => {
    expect(rows.flatMap((row) => faultsOf(row).map((fault) => `${row.number}: ${fault}`))).toEqual([])
  })
})

test('a row that says nothing, or names what there is not, is found', () => {
  const here = '`test/shared/seeds.test.ts` › the table of design %s › has all of its rows, in order'
  const faults = (words: string, shown: string) => faultsOf({ number: 1, words, shown }).length
  expect([faults('x', here), faults('x', LATER[0]!), faults('x', `${here}<br>${LATER[0]!} (of it)`)]).toEqual([0, 0, 0])
  const wrong = ['', 'later', 'later: never', here.replace('order', 'disorder'), here.replace('seeds', 'seedlings'), here.replaceAll('`', ''), `${here}<br>`]
  expect(wrong.map((shown) => faults('x', shown))).toEqual(wrong.map(() => 1))
  expect(faults('', here)).toBe(1)
})
