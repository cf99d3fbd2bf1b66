import { CloudEvent, HTTP, type Message } from 'cloudevents'
import { fromCloudEvent, type HubEvent, toCloudEvent } from '@hubbub/protocol'
import { failureOf } from './limits.js'

const full: HubEvent = {
  id: 'e-1', type: 'task.progress', timestamp: 1_763_700_000_123, project: 'shop', topics: ['task:t', 'branch:o/r@feature/x'], data: { taskId: 't', progress: 5 },
  metadata: {
    version: '1.0', source: '/agents/coder-1', recordedAt: 1_763_700_000_456, subject: 'task/t', correlationId: 'c', causationId: 'b',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1',
  },
}
const plain: HubEvent = { ...full, topics: [], metadata: { version: '2.1', source: '/hub', recordedAt: 1_763_700_000_456 } }
const datas: unknown[] = [{ a: 1 }, null, 0, '', false, [], 'text', [null, 0]]

describe('an event as a CloudEvent', () => {
  it.each(datas)('comes back the same with the data %j', (data) => {
    for (const event of [{ ...full, data }, { ...plain, data }]) {
      expect(fromCloudEvent(JSON.parse(JSON.stringify(toCloudEvent(event))))).toEqual(event)
    }
  })

  it('is valid by the package\'s rules, and the package reads it as we do', () => {
    for (const event of [full, plain]) {
      const cloud = toCloudEvent(event)
      expect(new CloudEvent({ ...cloud }).validate()).toBe(true)
      const message: Message = { headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(cloud) }
      const read = HTTP.toEvent(message) as CloudEvent<unknown>
      expect(read.data).toEqual(event.data)
      expect(fromCloudEvent(JSON.parse(JSON.stringify(read)))).toEqual(event)
    }
  })

  it('names its extensions by lower-case letters and digits', () => {
    expect(Object.keys(toCloudEvent(full)).filter((name) => !/^[a-z0-9]{1,20}$/.test(name))).toEqual([])
  })
})

describe('a CloudEvent of somebody else\'s', () => {
  it('is taken without our extensions', () => {
    const cloud = { specversion: '1.0', id: '1', source: 'https://ci.example/', type: 'custom.build', time: '2025-11-21T05:40:00+01:00', data: 0 }
    expect(fromCloudEvent(cloud)).toEqual({
      id: '1', type: 'custom.build', timestamp: 1_763_700_000_000, project: 'default', topics: [], data: 0,
      metadata: { version: '1.0', source: 'https://ci.example/', recordedAt: 1_763_700_000_000 },
    })
  })

  it.each([
    null, [], 'x', {}, { specversion: '0.3', id: '1', source: '/', type: 'x' }, { specversion: '1.0', source: '/', type: 'x' }, { specversion: '1.0', id: 5, source: '/', type: 'x' },
    { specversion: '1.0', id: '1', type: 'x' }, { specversion: '1.0', id: '1', source: '/' }, { specversion: '1.0', id: '1', source: '/', type: 'x', time: 'now' },
    { specversion: '1.0', id: '1', source: '/', type: 'x', data_base64: 'AA==' },
  ])('is refused when it is %j', (cloud) => {
    expect(failureOf(() => fromCloudEvent(cloud)).code).toBe('INVALID_MESSAGE')
  })
})
