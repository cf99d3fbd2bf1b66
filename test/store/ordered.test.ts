import { Ordered } from '../../server/src/store/memory/ordered.js'
import { dice } from './fixture.js'

describe('texts in order', () => {
  test('stay in order, each once, wherever they are put in and taken out', () => {
    for (const sides of [900, 20_000]) {
      const roll = dice(sides)
      const ordered = new Ordered()
      const model = new Set<string>()
      const textOf = (n: number) => String(n).padStart(6, '0')
      for (let n = 0; n < 20_000; n++) {
        const text = textOf(roll(sides))
        if (roll(3) === 0) {
          ordered.delete(text)
          model.delete(text)
        } else {
          ordered.add(text)
          model.add(text)
        }
      }
      const sorted = [...model].sort()
      expect([...ordered.behind('')]).toEqual(sorted)
      expect([...ordered.before()]).toEqual(sorted.toReversed())
      expect(ordered.size).toBe(sorted.length)
      for (const text of Array.from({ length: 50 }, () => textOf(roll(sides))).concat(sorted[0]!, sorted.at(-1)!, '', '~')) {
        expect([...ordered.behind(text)]).toEqual(sorted.filter((other) => other > text))
        expect([...ordered.before(text)]).toEqual(sorted.filter((other) => other < text).reverse())
      }
      for (const text of sorted) ordered.delete(text)
      expect([ordered.size, [...ordered.behind('')], [...ordered.before()], [...ordered.before('x')]]).toEqual([0, [], [], []])
    }
  })
})
