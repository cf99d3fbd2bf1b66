/** Lines of waiting tasks stay in order, whatever their tasks say of themselves. */
import type { Task } from '@hubbub/protocol'
import { Bench } from '../../server/src/processor/rules/bench.js'
import { chance } from './anybody.js'

const task = (id: string, deadline: string | undefined): Task => ({ id, createdAt: `2026-01-01T00:00:0${id.length}.000Z`, updatedAt: '', status: 'pending', managed: true, attempt: 0, tries: [], ...(deadline === undefined ? {} : { deadline }) })

test('a task that leaves its line is in it no more, whatever its deadline says', () => {
  const by = chance(7)
  for (let round = 0; round < 50; round++) {
    const bench = new Bench()
    const tasks = Array.from({ length: 12 }, (_, n) => task(`t${n}`, by.of([undefined, 'soon', `20${30 + by.below(60)}-01-01T00:00:00Z`])))
    for (const each of tasks) bench.place(undefined, each)
    for (const each of tasks) bench.place(each, undefined)
    expect(bench.idle).toBe(true)
  }
})
