/** The processor's own chain keeps figures right when one event frees many tasks of a stream. */
import type { HubEvent } from '@hubbub/protocol'
import { normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { follow } from '../../server/src/processor/state/chain.js'
import { Memory, Unloaded } from '../../server/src/processor/state/memory.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { LIMITS } from '../shared/limits.js'
import { START } from './scene.js'

test('figures stay right when one event frees many tasks', () => {
  const memory = new Memory('default')
  const settings = settingsWith({})
  let count = 0
  const take = (type: string, data: object) => {
    const normal = normalise({ type, data }, LIMITS, 'hub')
    const metadata = { version: '1.0', source: '/test', recordedAt: START }
    const event: HubEvent = { id: `e${++count}`, type, timestamp: START, project: 'default', topics: routeTopics(normal), data: normal.data, metadata }
    for (;;) {
      const mark = memory.mark()
      try {
        return follow({ memory, settings, now: START, nextId: () => `d${++count}` }, { event })
      } catch (error) {
        memory.rollback(mark)
        if (!(error instanceof Unloaded)) throw error
        if ('ref' in error.need) memory.loadRef(error.need.ref)
        else memory.load(error.need.kind, error.need.id, null)
      }
    }
  }
  take('task.created', { taskId: 'first', streamId: 's' })
  for (const taskId of ['t1', 't2', 't3']) take('task.created', { taskId, streamId: 's', dependsOn: ['first'] })
  expect(memory.get('stream', 's')).toMatchObject({ totalTasks: 4, blockedTasks: 3 })
  take('task.completed', { taskId: 'first' })
  expect(memory.get('stream', 's')).toMatchObject({ totalTasks: 4, completedTasks: 1, blockedTasks: 0, blockedTaskIds: [], progressPercentage: 25 })
})
