import type { HubEvent } from '@hubbub/protocol'
import { Merge } from '../../client-sdk/typescript/src/merge.js'

const at = (n: number): string => `e.1-${n}`
const event = (n: number): HubEvent => ({ id: String(n), type: 'task.progress', timestamp: 0, project: 'default', topics: ['task:1'], data: {}, metadata: { version: '1.0', source: '/x', recordedAt: 0 } })
const placed = (...numbers: number[]): { event: HubEvent; cursor: string }[] => numbers.map((n) => ({ event: event(n), cursor: at(n) }))

function merging(): { merge: Merge; handed: number[] } {
  const handed: number[] = []
  return { merge: new Merge((one) => handed.push(Number(one.id))), handed }
}

describe('the order over all subscriptions (I1, I2)', () => {
  it('hands live events on at once when nobody reads', () => {
    const { merge, handed } = merging()
    merge.live(at(1), event(1))
    merge.live(at(2), event(2))
    expect(handed).toEqual([1, 2])
  })

  it('holds live events until every reading subscription has come as far', () => {
    const { merge, handed } = merging()
    const [a, b] = [{}, {}]
    merge.join(a, at(0))
    merge.join(b, at(0))
    merge.live(at(9), event(9))
    merge.page(a, placed(1, 4), at(5))
    expect(handed).toEqual([])
    merge.page(b, placed(2), at(3))
    expect(handed).toEqual([1, 2])
    merge.page(b, placed(4, 5), at(8))
    expect(handed).toEqual([1, 2, 4, 5])
    merge.leave(a)
    merge.leave(b)
    expect(handed).toEqual([1, 2, 4, 5, 9])
  })

  it('hands an event that two subscriptions bring on once', () => {
    const { merge, handed } = merging()
    const [a, b] = [{}, {}]
    merge.join(a, undefined)
    merge.join(b, undefined)
    merge.live(at(3))
    merge.page(a, placed(1, 2, 3), at(3))
    merge.page(b, placed(2, 3), at(3))
    merge.leave(a)
    merge.leave(b)
    expect(handed).toEqual([1, 2, 3])
  })

  it('drops what was handed on before a lost connection', () => {
    const { merge, handed } = merging()
    merge.live(at(1), event(1))
    merge.live(at(2), event(2))
    const source = {}
    merge.join(source, at(1))
    merge.page(source, placed(2, 3), at(3))
    merge.leave(source)
    merge.live(at(4))
    expect(handed).toEqual([1, 2, 3])
  })

  it('waits with what a page has ahead of the live stream', () => {
    const { merge, handed } = merging()
    merge.live(at(1))
    const source = {}
    merge.join(source, undefined)
    merge.page(source, placed(1, 5), at(5))
    merge.leave(source)
    expect(handed).toEqual([1])
    merge.live(at(3), event(3))
    merge.live(at(5))
    expect(handed).toEqual([1, 3, 5])
  })

  it('starts over at a lower offset after a lost branch, once for all who meet it', () => {
    const { merge, handed } = merging()
    merge.live(at(10), event(10))
    const [a, b] = [{}, {}]
    merge.join(a, at(10))
    merge.join(b, at(10))
    merge.jump('f.1-4')
    merge.page(a, placed(5, 6), at(6))
    merge.jump('f.1-4')
    merge.page(b, placed(5), at(6))
    merge.leave(a)
    merge.leave(b)
    merge.live(at(7), event(7))
    expect(handed).toEqual([10, 5, 6, 7])
  })

  it('says from where a new client would miss nothing', () => {
    const { merge } = merging()
    merge.live(at(7), event(7))
    expect(merge.cursor).toBe(at(7))
    const source = {}
    merge.join(source, at(7))
    merge.live(at(9), event(9))
    expect(merge.cursor).toBe(at(7))
    merge.leave(source)
    expect(merge.cursor).toBe(at(9))
  })
})
