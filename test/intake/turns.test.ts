import { array, assert, constantFrom, integer, oneof, property, record } from 'fast-check'
import { Room } from '../../server/src/access/room.js'
import { Turns } from '../../server/src/intake/turns.js'

interface Item {
  project: string
  number: number
}

/** Takes at most `most` at once until nothing is left. */
function emptied(turns: Turns<Item>, most: number): Item[][] {
  const steps: Item[][] = []
  while (turns.size > 0) {
    let count = 0
    steps.push(turns.take(() => ++count <= most))
  }
  return steps
}

describe('projects that wait to be written', () => {
  test('take turns: a short queue is not behind a long one', () => {
    const turns = new Turns<Item>()
    for (let number = 0; number < 10_000; number++) turns.add('flood', { project: 'flood', number })
    for (let number = 0; number < 3; number++) turns.add('small', { project: 'small', number })
    const [first] = emptied(turns, 8)
    expect(first!.map(({ project }) => project)).toEqual(['flood', 'small', 'flood', 'small', 'flood', 'small', 'flood', 'flood'])
  })

  test('each keep their own order, and nothing is lost or doubled, whatever comes when (I1)', () => {
    const step = oneof(record({ add: constantFrom('a', 'b', 'c', '__proto__') }), record({ take: integer({ min: 1, max: 7 }) }))
    assert(
      property(array(step, { maxLength: 200 }), (steps) => {
        const turns = new Turns<Item>()
        const added: Item[] = []
        const taken: Item[] = []
        for (const [number, one] of steps.entries()) {
          if ('add' in one) {
            added.push({ project: one.add, number })
            turns.add(one.add, added.at(-1)!)
          } else {
            let count = 0
            taken.push(...turns.take(() => ++count <= one.take))
          }
        }
        taken.push(...emptied(turns, 5).flat())
        for (const name of ['a', 'b', 'c', '__proto__']) {
          expect(taken.filter(({ project }) => project === name)).toEqual(added.filter(({ project }) => project === name))
        }
        expect(taken).toHaveLength(added.length)
      }),
    )
  })

  test('that had no turn have the next one', () => {
    const turns = new Turns<Item>()
    for (const project of ['a', 'b', 'c']) for (let number = 0; number < 2; number++) turns.add(project, { project, number })
    expect(emptied(turns, 2).map((step) => step.map(({ project }) => project).join(''))).toEqual(['ab', 'ca', 'bc'])
  })

  test('lose what is dropped, and keep the order of the rest', () => {
    const turns = new Turns<Item>()
    for (let number = 0; number < 6; number++) turns.add(number < 4 ? 'a' : 'b', { project: number < 4 ? 'a' : 'b', number })
    expect(turns.drop(({ number }) => number % 2 === 1).map(({ number }) => number)).toEqual([0, 2, 4])
    expect(turns.size).toBe(3)
    expect(emptied(turns, 9).flat().map(({ number }) => number)).toEqual([1, 5, 3])
  })
})

describe('the room that all projects have together', () => {
  function fill(room: Room, project: string, bytes = 1): number {
    let count = 0
    while (room.enter(project, bytes)) count++
    return count
  }

  test('is half a lone project\'s, a third each of two, and never all used', () => {
    const room = new Room({ count: 1200, bytes: 1e9 })
    expect(fill(room, 'a')).toBe(600)
    expect(fill(room, 'b')).toBe(300)
    for (let at = 0; at < 5; at++) expect(fill(room, `new-${at}`)).toBeGreaterThan(0)
  })

  test('is shared by bytes alike, and is given back', () => {
    const room = new Room({ count: 1e9, bytes: 1000 })
    expect(fill(room, 'a', 100)).toBe(5)
    expect(room.enter('b', 251)).toBe(true)
    expect(room.enter('b', 10)).toBe(false)
    for (let at = 0; at < 5; at++) room.leave('a', 100)
    room.leave('b', 251)
    expect(fill(room, 'c', 500)).toBe(1)
    room.leave('c', 500)
    expect(fill(room, 'a', 100)).toBe(5)
  })
})
