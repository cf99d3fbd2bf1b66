/** Questions between workers over a wire that loses, repeats and freezes. */
import { Peers } from '../../server/src/operations/peers.js'
import { eventually } from '../harness/eventually.js'

interface Message {
  kind: 'ask' | 'told'
  body?: object
  state?: string
}

/** Two workers; `passes` decides of each message whether it arrives. */
function pair(passes: (message: Message) => boolean = () => true) {
  const living = new Set(['a', 'b'])
  const roll = (worker: string) => ({ worker, alive: () => [...living].sort() })
  const a = new Peers(roll('a'))
  const b = new Peers(roll('b'))
  const sent: Message[] = []
  // As JSON, like on the adapter, and never in the sender's own turn.
  const towards = (peer: Peers) => (message: unknown) => {
    sent.push(message as Message)
    if (passes(message as Message)) setImmediate(() => peer.receive(JSON.parse(JSON.stringify(message))))
  }
  a.attach(towards(b))
  b.attach(towards(a))
  open.push(a, b)
  return { a, b, sent, living }
}

const open: Peers[] = []
afterEach(() => {
  for (const peers of open.splice(0)) peers.close()
})

/** Passes all but the first message that fits. */
function losing(fits: (message: Message) => boolean): (message: Message) => boolean {
  let lost = false
  return (message) => {
    if (lost || !fits(message)) return true
    lost = true
    return false
  }
}

function serve(peers: Peers, work: (body: { n: number }) => Promise<object> = async ({ n }) => ({ n })): number[] {
  const begun: number[] = []
  peers.serve('count', (body: { n: number }) => {
    begun.push(body.n)
    return work(body)
  })
  return begun
}

test('a question has an answer of each worker, the asker included, in their order', async () => {
  const { a, b } = pair()
  serve(a, async () => ({ by: 'a' }))
  serve(b, async () => ({ by: 'b' }))
  expect(await Promise.all(a.ask(['a', 'b'], 'count', { n: 1 }, 5000))).toEqual([
    { status: 'answered', answer: { by: 'a' } },
    { status: 'answered', answer: { by: 'b' } },
  ])
})

test('a question that was lost is asked again, and is begun once', async () => {
  const { a, b } = pair(losing(({ kind }) => kind === 'ask'))
  const begun = serve(b)
  expect(await a.ask(['b'], 'count', { n: 1 }, 10_000)[0]).toEqual({ status: 'answered', answer: { n: 1 } })
  expect(begun).toEqual([1])
})

test('an answer that was lost is told again, and nothing is begun twice', async () => {
  const { a, b } = pair(losing(({ kind }) => kind === 'told'))
  const begun = serve(b)
  expect(await a.ask(['b'], 'count', { n: 1 }, 10_000)[0]).toEqual({ status: 'answered', answer: { n: 1 } })
  expect(begun).toEqual([1])
})

test('of what was taken the body is not sent again, and its answer arrives when it is there', async () => {
  const { a, b, sent } = pair()
  let finish = (_answer: object): void => undefined
  const begun = serve(b, () => new Promise((resolve) => (finish = resolve)))
  const reply = a.ask(['b'], 'count', { n: 1 }, 20_000)[0]
  await eventually(() => sent.filter(({ kind }) => kind === 'ask').length > 2)
  finish({ late: true })
  expect(await reply).toEqual({ status: 'answered', answer: { late: true } })
  expect(sent.filter(({ kind, body }) => kind === 'ask' && body)).toHaveLength(1)
  expect(begun).toEqual([1])
})

test('who does not answer is silent, who is off the roll is lost, and who forgot the question says so', async () => {
  const { a, b, living } = pair()
  serve(b, () => new Promise(() => undefined))
  expect(await a.ask(['b'], 'count', { n: 1 }, 50)[0]).toEqual({ status: 'silent' })
  const dying = a.ask(['b'], 'count', { n: 2 }, 20_000)[0]
  living.delete('b')
  expect(await dying).toEqual({ status: 'lost' })

  living.add('b')
  const second = new Peers({ worker: 'b', alive: () => ['a', 'b'] })
  open.push(second)
  const asked = a.ask(['b'], 'count', { n: 3 }, 20_000)[0]
  let taken = false
  b.attach((message) => {
    taken ||= (message as Message).state === 'taken'
    a.receive(message)
  })
  await eventually(() => taken)
  // The same name, and nothing remembered.
  second.attach((message) => a.receive(message))
  a.attach((message) => second.receive(message))
  expect(await asked).toEqual({ status: 'lost' })
})
