/** A gap that the hub tells with the first answer, before anybody has the subscription to listen to. */
import { connect, type Gap } from '@hubbub/client'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startHub } from '../harness/hub.js'
import { token } from '../harness/token.js'

it('is told to whoever listens for gaps first, and once', async () => {
  const hub = await startHub({ env: { HUBBUB_RETENTION_MS: '100', HUBBUB_RETENTION_COUNT: '10' } })
  const client = connect(hub.url, { token: token() })
  try {
    await eventually(async () => {
      for (let count = 0; count < 20; count++) await client.publish('custom.hello', {}, { topics: ['project'] })
      const { body } = await ask(`${hub.url}/api/v1/history?topics=project&since=60s`, { as: token() })
      return body['gap']
    }, 'a journal that was cut')
    const subscription = await client.subscribe({ topics: ['project'], since: '60s' })
    const gaps: Gap[] = []
    subscription.onGap((gap) => gaps.push(gap))
    subscription.onGap((gap) => gaps.push(gap))
    expect(gaps).toMatchObject([{ reason: 'trimmed' }])
  } finally {
    client.close()
    await hub.stop()
  }
}, 30_000)
