/**
 * Pipelines, as events tell of them: their engine's, and the hub's own, which counts their tasks.
 *
 *   pending --> running --> completed | failed        started again, it is running again
 */
import type { HubEvent } from '../envelope.js'
import { NO_TASKS, type Pipeline, type Step } from './entities.js'
import { bag, dataOf, named, numbers, texts, timeOf, type Data, type Reducer, type Reducers } from './reducer.js'
import { counted, countedStages, countOf } from './tally.js'

const ids = named('pipelineId')
const STEPS_KEPT = 100
/** Characters of JSON, all steps together. An event's own limit holds for the newest step, whatever it brings. */
const OUTPUTS_KEPT = 65_536

export const PIPELINE_REDUCERS: Reducers<Pipeline> = {
  'pipeline.started': folded((pipeline, data, event) => {
    const again = pipeline.finishedAt !== undefined
    const { finishedAt: _, result: __, error: ___, ...open } = pipeline
    const { startedAt = (again ? undefined : pipeline.startedAt) ?? timeOf(event) } = texts(data, 'startedAt')
    const running: Pipeline = { ...open, ...texts(data, 'name'), status: 'running', startedAt }
    if (!again) return running
    const { currentStep: ____, ...anew } = running
    // Where tasks are counted they say how far it is.
    return pipeline.totalTasks > 0 ? anew : { ...anew, progress: 0 }
  }),
  'pipeline.progress': folded((pipeline, data) => {
    const { progress = pipeline.progress } = numbers(data, 'progress')
    return {
      ...begun(pipeline, progress > 0),
      ...counted(data, pipeline),
      ...texts(data, 'currentStep', 'estimatedCompletion'),
      progress,
      managedTasks: countOf(data['managedTasks']) ?? pipeline.managedTasks,
      stages: countedStages(data['stages'], pipeline.stages),
    }
  }),
  'pipeline.step_completed': folded((pipeline, data, event) => {
    const { step } = texts(data, 'step')
    if (step === undefined) return pipeline
    const outputs = bag(data['outputs'])
    const done: Step = { step, ...numbers(data, 'stepIndex'), ...(outputs ? { outputs } : {}), completedAt: timeOf(event) }
    return { ...begun(pipeline, true), ...texts(data, 'estimatedCompletion'), steps: kept([...pipeline.steps, done]) }
  }),
  'pipeline.completed': folded((pipeline, data, event) => {
    const { error: _, estimatedCompletion: __, ...rest } = pipeline
    const metrics = bag(data['metrics'])
    return {
      ...rest,
      status: 'completed',
      progress: 100,
      finishedAt: timeOf(event),
      ...('result' in data ? { result: data['result'] } : {}),
      ...(Array.isArray(data['artifacts']) ? { artifacts: data['artifacts'] as unknown[] } : {}),
      ...(metrics ? { metrics } : {}),
    }
  }),
  'pipeline.failed': folded((pipeline, data, event) => {
    const { result: _, estimatedCompletion: __, ...rest } = pipeline
    const { step } = texts(data, 'step')
    return { ...rest, status: 'failed', finishedAt: timeOf(event), ...texts(data, 'error'), ...(step === undefined ? {} : { currentStep: step }) }
  }),
  'pipeline.forgotten': { ids, reduce: () => undefined },
}

function folded(fold: (pipeline: Pipeline, data: Data, event: HubEvent) => Pipeline): Reducer<Pipeline> {
  return {
    ids,
    reduce(before, event, id) {
      const at = timeOf(event)
      const pipeline: Pipeline = before ?? { id, createdAt: at, updatedAt: at, status: 'pending', ...NO_TASKS, managedTasks: 0, progress: 0, stages: {}, steps: [] }
      return { ...fold(pipeline, dataOf(event), event), updatedAt: at }
    },
  }
}

/** Engines that never say `pipeline.started` run all the same; since when, nobody said. */
function begun(pipeline: Pipeline, further: boolean): Pipeline {
  return further && pipeline.status === 'pending' ? { ...pipeline, status: 'running' } : pipeline
}

/** Older outputs go first, then older steps: an entity is written whole at each of its changes. */
function kept(steps: readonly Step[]): Step[] {
  const last = steps.slice(-STEPS_KEPT)
  let room = OUTPUTS_KEPT
  for (let place = last.length - 1; place >= 0; place--) {
    const { outputs, ...bare } = last[place]!
    if (outputs === undefined) continue
    room -= JSON.stringify(outputs).length
    if (room < 0 && place < last.length - 1) last[place] = bare
  }
  return last
}
