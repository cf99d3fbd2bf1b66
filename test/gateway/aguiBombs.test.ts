/** A state that a few patches make enormous: told to nobody, and in nobody's way. */
import { ask } from '../harness/ask.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { ended, readStream } from './streamReader.js'

test('a state that doubles with each patch ends a snapshot with a RUN_ERROR, and is told verbatim to whoever asks for that', async () => {
  const { url } = await hub()
  const events = [
    { type: 'RUN_STARTED', threadId: 't', runId: 'r' }, { type: 'STATE_SNAPSHOT', snapshot: { a: 'x' } }, { type: 'STATE_DELTA', delta: Array.from({ length: 60 }, (_, at) => ({ op: 'copy', from: '', path: `/k${at}` })) }, { type: 'RUN_FINISHED', threadId: 't', runId: 'r' },
  ]
  expect((await ask(`${url}/api/v1/runs/r/events`, { as: token(), json: events })).status).toBe(200)
  const begun = performance.now()
  const snapshot = await readStream(`${url}/api/v1/runs/r/agui?from=snapshot`, { as: token() })
  await ended(snapshot)
  expect(performance.now() - begun).toBeLessThan(5000)
  const told = snapshot.told.map(({ data }) => JSON.parse(data!) as { type: string; code?: string })
  expect(told.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'PAYLOAD_TOO_LARGE' })
  const verbatim = await readStream(`${url}/api/v1/runs/r/agui?from=start`, { as: token() })
  await ended(verbatim)
  expect(verbatim.told.map(({ data }) => JSON.parse(data!) as unknown)).toEqual(events)
})
