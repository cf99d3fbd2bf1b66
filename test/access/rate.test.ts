import { createBuckets } from '../../server/src/access/rate.js'

describe('a token bucket', () => {
  let clock = 0
  beforeEach(() => {
    clock = 1000
  })
  const now = () => clock

  it('lets a burst through, then the rate', () => {
    const buckets = createBuckets(100, 200, now)
    for (let i = 0; i < 200; i++) expect(buckets.take('a')).toBe(0)
    expect(buckets.take('a')).toBe(10)
    clock += 10
    expect(buckets.take('a')).toBe(0)
    expect(buckets.take('a')).toBe(10)
  })

  it('answers a wait after which the same call succeeds', () => {
    const buckets = createBuckets(3, 7, now)
    expect(buckets.take('a', 7)).toBe(0)
    const wait = buckets.take('a', 5)
    expect(wait).toBe(1667)
    clock += wait
    expect(buckets.take('a', 5)).toBe(0)
  })

  it('lets more than the burst through a full bucket only, and has the debt paid', () => {
    const buckets = createBuckets(10, 20, now)
    expect(buckets.take('a', 50)).toBe(0)
    expect(buckets.take('a')).toBe(3100)
    clock += 3100
    expect(buckets.take('a')).toBe(0)
    expect(buckets.take('a', 50)).toBe(2000)
  })

  it('charges what is not there, up to a burst of debt', () => {
    const buckets = createBuckets(10, 20, now)
    buckets.charge('a', 25)
    expect(buckets.take('a')).toBe(600)
    for (let i = 0; i < 1000; i++) buckets.charge('a')
    expect(buckets.take('a')).toBe(2100)
    buckets.take('b', 100)
    // A debt that was larger already is not forgiven.
    buckets.charge('b')
    expect(buckets.take('b')).toBe(8100)
  })

  it('keeps keys apart, and forgets', () => {
    const buckets = createBuckets(1, 1, now)
    expect(buckets.take('a')).toBe(0)
    expect(buckets.take('b')).toBe(0)
    expect(buckets.take('a')).toBe(1000)
    buckets.forget('a')
    expect(buckets.take('a')).toBe(0)
  })

  it('does not remember idle keys', () => {
    const buckets = createBuckets(100, 200, now)
    for (let i = 0; i < 1000; i++) buckets.take(`key-${i}`)
    expect(buckets.size).toBe(1000)
    clock += 5000
    buckets.take('another')
    expect(buckets.size).toBe(1)
  })
})
