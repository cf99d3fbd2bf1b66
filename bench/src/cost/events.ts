/** Events of a usual size and spread: a report of one of 1,000 tasks by one of 100 agents in one of 50 pipelines, three topics, about 500 bytes in the journal. */
import type { SourceAppend, Store } from '../../../server/dist/store/port.js'

const [TASKS, AGENTS, PIPELINES] = [1000, 100, 50]
const MESSAGE = 'Running the integration tests of the parser, third of five suites, nothing has failed so far.'
const IDENTITY = { source: '/services/bench', project: 'default' }

/** @param name makes ids unlike those of another load. @param task of all events, instead of one of the thousand */
export function costEvent(name: string, number: number, task?: string): { id: string; type: string; data: object } {
  const taskId = task ?? `T-${number % TASKS}`
  return {
    id: `${name}-${number}`, type: 'task.progress',
    data: { taskId, agentId: `agent-${number % AGENTS}`, pipelineId: `P-${number % PIPELINES}`, progress: number % 100, message: MESSAGE },
  }
}

/** To the source stream, as a gateway would. */
export async function appendEvents(store: Store, name: string, count: number, { at = 500, task }: { at?: number; task?: string } = {}): Promise<void> {
  for (let from = 0; from < count; from += at) {
    const batch = Array.from({ length: Math.min(at, count - from) }, (_, place): SourceAppend => {
      const event = { ...costEvent(name, from + place, task), timestamp: Date.now() }
      return { stream: 'system', event: JSON.stringify(event), identity: IDENTITY }
    })
    await store.append(0, batch)
  }
}
