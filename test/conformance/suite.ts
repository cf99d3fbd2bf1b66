/** Every case by every driver on one house, and a table of what passed. */
import { CASES } from './cases.js'
import { allDrivers } from './drivers.js'
import { perform, type House } from './stage.js'
import type { Case } from './steps.js'

const GROUPS = Object.keys(CASES) as (keyof typeof CASES)[]

/** @param houseOf where a case is played; called when the tests run */
export function everyCase(title: string, houseOf: (play: Case) => House): void {
  const drivers = allDrivers()
  const passed = new Map<string, number>()
  const cell = (group: string, name: string) => `${group} ${name}`

  describe.each(drivers)('$name', (driver) => {
    describe.each(GROUPS)('%s', (group) => {
      test.each(CASES[group])('$name', async (play) => {
        await perform(play, driver, houseOf(play), `${drivers.indexOf(driver)}-${GROUPS.indexOf(group)}-${CASES[group].indexOf(play)}`)
        passed.set(cell(group, driver.name), (passed.get(cell(group, driver.name)) ?? 0) + 1)
      })
    })
  })
  afterAll(async () => {
    for (const driver of drivers) await driver.close?.()
    const names = drivers.map(({ name }) => name)
    const rows = GROUPS.map((group) => [group, ...names.map((name) => `${passed.get(cell(group, name)) ?? 0} of ${CASES[group].length}`)])
    const totals = ['all', ...names.map((name) => String(GROUPS.reduce((sum, group) => sum + (passed.get(cell(group, name)) ?? 0), 0)))]
    process.stdout.write(`\n${title}: cases passed\n${table([['', ...names], ...rows, totals])}\n`)
  })
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join('  ')).join('\n')
}
