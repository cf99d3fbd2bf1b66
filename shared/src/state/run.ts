/**
 * AG-UI runs: what began, where it is and how it ended. Few AG-UI events name their run, so its id comes from their topics.
 * Content comes token by token, at rates that state must not follow: only starts and ends count here.
 */
import type { HubEvent } from '../envelope.js'
import type { Run } from './entities.js'
import { dataOf, named, texts, timeOf, type Data, type Reducer, type Reducers } from './reducer.js'

export const RUN_REDUCERS: Reducers<Run> = {
  'agui.run_started': folded((run, data) => {
    const { finishedAt, error: _, currentStep: __, ...open } = run
    // The same id again, after its end, is another run.
    const counts = finishedAt === undefined ? {} : { messages: 0, toolCalls: 0 }
    return { ...open, ...counts, ...texts(data, 'parentRunId'), status: 'running' }
  }),
  // Interrupted and cancelled runs are finished, too: their outcome is the event's to tell.
  'agui.run_finished': folded((run, _data, event) => {
    const { currentStep: _, ...rest } = run
    return { ...rest, status: 'finished', finishedAt: timeOf(event) }
  }),
  'agui.run_error': folded((run, data, event) => {
    const { message: error } = texts(data, 'message')
    return { ...run, status: 'failed', finishedAt: timeOf(event), ...(error === undefined ? {} : { error }) }
  }),
  'agui.step_started': folded((run, data) => {
    const { stepName: currentStep } = texts(data, 'stepName')
    return currentStep === undefined ? run : { ...run, currentStep }
  }),
  'agui.step_finished': folded((run, data) => {
    const { currentStep, ...rest } = run
    return currentStep === data['stepName'] ? rest : run
  }),
  'agui.text_message_start': folded((run) => ({ ...run, messages: run.messages + 1 })),
  'agui.tool_call_start': folded((run) => ({ ...run, toolCalls: run.toolCalls + 1 })),
  'run.forgotten': { ids: named('runId'), reduce: () => undefined },
}

function folded(fold: (run: Run, data: Data, event: HubEvent) => Run): Reducer<Run> {
  return {
    ids: (event) => idsUnder('run', event),
    reduce(before, event, id) {
      const at = timeOf(event)
      const data = dataOf(event)
      const run: Run = before ?? { id, createdAt: at, updatedAt: at, status: 'running', messages: 0, toolCalls: 0 }
      return { ...fold(run, data, event), ...context(data, event), updatedAt: at }
    },
  }
}

/** Thread, agent and task of the run, where the event names them. */
function context(data: Data, event: HubEvent): Partial<Run> {
  const [threadId = texts(data, 'threadId').threadId] = idsUnder('thread', event)
  const [agentId] = idsUnder('agent', event)
  const [taskId] = idsUnder('task', event)
  return { ...(threadId === undefined ? {} : { threadId }), ...(agentId === undefined ? {} : { agentId }), ...(taskId === undefined ? {} : { taskId }) }
}

function idsUnder(family: string, event: Pick<HubEvent, 'topics'>): string[] {
  return event.topics.flatMap((topic) => (topic.startsWith(`${family}:`) ? [topic.slice(family.length + 1)] : []))
}
