/** A commit that nobody answered, tried again on a Redis that may be another one (I2, I3). */
import { openStore } from '../../../server/src/store/open.js'
import { StoreUnavailable, type Batch, type Store } from '../../../server/src/store/port.js'
import { eventually } from '../../harness/eventually.js'
import { startProxy, type Proxy } from '../../harness/proxy.js'
import { startRedis, type RedisProcess } from '../../harness/redis.js'
import { commandTo } from '../../harness/replicas.js'
import { appendOf, DEFAULTS, HOUR, Owner } from '../fixture.js'

let redis: RedisProcess
let proxy: Proxy
let store: Store
let owner: Owner

beforeEach(async () => {
  redis = await startRedis()
  proxy = await startProxy({ port: redis.port })
  store = await openStore({ ...DEFAULTS, redisUrl: `redis://127.0.0.1:${proxy.port}` })
  owner = await Owner.take(store)
  await owner.commit([appendOf('a')])
})
afterEach(async () => {
  await store.close()
  await proxy.close()
  await redis.stop()
})

/** The reply is lost; whether it was executed, nobody knows. */
async function unanswered(batch: Batch): Promise<void> {
  const attempt = store.commit(0, batch)
  proxy.refuse(true)
  proxy.cut('reset')
  await expect(attempt).rejects.toBeInstanceOf(StoreUnavailable)
}

async function restart(): Promise<void> {
  await redis.kill('SIGKILL')
  await redis.restart()
  proxy.refuse(false)
}

const again = (batch: Batch) => eventually(() => store.commit(0, batch), 'an answer')

test('on the same run of the server it is committed, once', async () => {
  const batch = owner.batch([appendOf('b')])
  await unanswered(batch)
  proxy.refuse(false)
  const first = await again(batch)
  expect(first).toMatchObject({ status: 'committed', offsets: [expect.any(String)] })
  expect(await store.commit(0, batch)).toEqual({ ...first, replayed: true })
})

test('on another run that has it, it gets its first result', async () => {
  const batch = owner.batch([appendOf('b')])
  await unanswered(batch)
  const direct = await openStore({ ...DEFAULTS, redisUrl: redis.url })
  const first = await direct.commit(0, batch)
  await direct.close()
  await commandTo(redis, 'SAVE')
  await restart()
  expect(await again(batch)).toEqual({ ...first, replayed: true })
})

test('on another run that lacks it, it is lost: readers may have seen it there before, and only a new epoch says so', async () => {
  await commandTo(redis, 'SAVE')
  const batch = owner.batch([appendOf('b')])
  await unanswered(batch)
  await restart()
  expect(await again(batch)).toEqual({ status: 'lost' })
  const anew = await store.restart(0, owner.name, HOUR)
  owner.state = anew!
  await owner.commit([appendOf('b')])
  expect((await store.head(0)).epochs.at(-1)).toEqual({ nonce: anew!.epoch, start: anew!.last })
})
