/** Reducers take whatever stands in a journal: odd data changes nothing or little, and never throws. */
import { evolve, type Entity, type HubEvent } from '@hubbub/protocol'
import { CHECKPOINT_REDUCERS } from '../../shared/src/state/checkpoint.js'
import { PIPELINE_REDUCERS } from '../../shared/src/state/pipeline.js'
import { RUN_REDUCERS } from '../../shared/src/state/run.js'
import { STREAM_REDUCERS } from '../../shared/src/state/stream.js'
import { START } from './scene.js'

const TYPES = Object.keys({ ...PIPELINE_REDUCERS, ...STREAM_REDUCERS, ...CHECKPOINT_REDUCERS, ...RUN_REDUCERS })
const ODD: unknown[] = [null, true, -1, 0.5, 1e308, 'x', '', [], [null], ['a', 5], {}, { 0: null, 1: { totalTasks: 'x' }, x: {} }]
const FIELDS = [
  'progress', 'progressPercentage', 'totalTasks', 'completedTasks', 'stages', 'step', 'outputs', 'artifacts', 'metrics', 'blockedTaskIds', 'startedAt', 'expiresAt', 'threadId', 'stepName',
  'message', 'name', 'streamName', 'managedTasks', 'change', 'sequence', 'hasDraft', 'taskId',
]

const eventOf = (type: string, data: unknown): HubEvent => ({
  id: 'e', type, timestamp: START, project: 'default', topics: ['run:x', 'thread:', 'agent:a'], data, metadata: { version: '1.0', source: '/test', recordedAt: START },
})

describe('a journal of odd events', () => {
  it.each(TYPES)('with %s in it is folded', (type) => {
    const entities = new Map<string, Entity>()
    const fold = (data: unknown) => {
      for (const { kind, id, entity } of evolve(eventOf(type, data), (of, known) => entities.get(`${of} ${known}`) as never)) {
        if (entity) entities.set(`${kind} ${id}`, entity)
        else entities.delete(`${kind} ${id}`)
      }
    }
    const ids = { pipelineId: 'x', streamId: 'x', checkpointId: 'x', runId: 'x' }
    for (const data of ODD) fold(data)
    for (const value of ODD) {
      fold({ pipelineId: value, streamId: value, checkpointId: value, runId: value })
      for (const field of FIELDS) fold({ ...ids, [field]: value })
    }
    for (const entity of entities.values()) expect(entity).toMatchObject({ id: expect.any(String), status: expect.any(String), createdAt: '2026-03-01T10:00:00.000Z' })
    for (const entity of entities.values()) if ('totalTasks' in entity) expect(entity.totalTasks).toBeGreaterThanOrEqual(0)
  })

  it('keeps a hundred stages and a hundred blocked tasks at most', () => {
    const stages = Object.fromEntries(Array.from({ length: 300 }, (_, stage) => [stage, { totalTasks: 1 }]))
    const pipeline = PIPELINE_REDUCERS['pipeline.progress']!.reduce(undefined, eventOf('pipeline.progress', { pipelineId: 'p', progress: 1, stages }), 'p')
    expect(Object.keys(pipeline!.stages)).toHaveLength(100)
    const blockedTaskIds = Array.from({ length: 300 }, (_, index) => `t${index}`)
    const stream = STREAM_REDUCERS['stream.blocked']!.reduce(undefined, eventOf('stream.blocked', { streamId: 's', blockedTaskIds }), 's')
    expect(stream!.blockedTaskIds).toHaveLength(100)
  })
})
