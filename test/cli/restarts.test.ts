import { Reload } from '../../server/src/cli/machine/reload.js'
import { afterEnd, CLEAN, HOPELESS, type Sheet } from '../../server/src/cli/machine/restarts.js'
import { nextOf } from '../../server/src/cli/machine/rotation.js'
import { silent } from '../../server/src/observe/log.js'
import { eventually } from '../harness/eventually.js'

function waits(servedMs: (number | undefined)[]): { waits: number[]; hopeless: boolean[] } {
  let sheet: Sheet = CLEAN
  const told = servedMs.map((served) => {
    const verdict = afterEnd(sheet, served)
    sheet = verdict.sheet
    return verdict
  })
  return { waits: told.map(({ waitMs }) => waitMs), hopeless: told.map(({ isHopeless }) => isHopeless) }
}

describe('a process that ends', () => {
  it('is started again after 100 ms, then twice as long each time, and 10 s at most', () => {
    expect(waits(Array.from({ length: 9 }, () => 500)).waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  })

  it('begins a clean sheet when it served for 30 s', () => {
    expect(waits([10, 10, 29_999, 30_000, 10]).waits).toEqual([100, 200, 400, 100, 200])
  })

  it('is hopeless when it was never ready, five times in a row', () => {
    expect(HOPELESS).toBe(5)
    expect(waits([undefined, undefined, undefined, undefined, undefined]).hopeless).toEqual([false, false, false, false, true])
    expect(waits([undefined, undefined, undefined, undefined, 0, undefined, undefined]).hopeless).toEqual(Array.from({ length: 7 }, () => false))
  })
})

describe('the next connection', () => {
  const worker = (name: string, underWay: number, given: number) => ({ name, underWay, given })

  it('is for the worker that was given none for the longest', () => {
    expect(nextOf([worker('a', 0, 5), worker('b', 0, 3), worker('c', 0, 4)])?.name).toBe('b')
  })

  it('passes by a worker that does not take what it was given', () => {
    expect(nextOf([worker('a', 0, 5), worker('frozen', 1, 3)])?.name).toBe('a')
  })

  it('has nobody to go to where nobody is ready', () => {
    expect(nextOf([])).toBeUndefined()
  })
})

describe('a reload', () => {
  const told: string[] = []
  const waiting: ((trouble?: string) => void)[] = []
  const seat = (name: string) => ({ name, replace: () => (told.push(name), new Promise<string | undefined>((resolve) => waiting.push(resolve))) })
  const go = async (trouble?: string) => (await eventually(() => waiting.shift(), 'a process that is replaced'))(trouble)
  beforeEach(() => {
    told.length = waiting.length = 0
  })

  it('replaces one after the other, and is done once more however often it was asked for meanwhile', async () => {
    const reload = new Reload([seat('w1'), seat('w2')], silent)
    reload.request()
    reload.request()
    reload.request()
    expect(told).toEqual(['w1'])
    await go()
    await eventually(() => told.length === 2)
    expect(told).toEqual(['w1', 'w2'])
    for (let turn = 0; turn < 3; turn++) await go()
    reload.request()
    await go()
    expect(told.slice(0, 5)).toEqual(['w1', 'w2', 'w1', 'w2', 'w1'])
  })

  it('stops where a new one does not start, and begins anew when it is asked for again', async () => {
    const reload = new Reload([seat('w1'), seat('w2')], silent)
    reload.request()
    await go('w1: no')
    await eventually(() => (reload.request(), told.length === 2))
    expect(told).toEqual(['w1', 'w1'])
  })

  it('replaces nobody once the machine stops', async () => {
    const reload = new Reload([seat('w1'), seat('w2')], silent)
    reload.request()
    reload.close()
    await go('the machine stops')
    reload.request()
    expect(told).toEqual(['w1'])
  })
})
