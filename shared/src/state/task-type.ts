/** Types of tasks: what their results must look like. */
import type { TaskType } from './entities.js'
import { bag, dataOf, named, timeOf, type Reducers } from './reducer.js'

const ids = named('taskType')

export const TASK_TYPE_REDUCERS: Reducers<TaskType> = {
  'task_type.defined': {
    ids,
    reduce(before, event, id) {
      const at = timeOf(event)
      const type: TaskType = { id, createdAt: before?.createdAt ?? at, updatedAt: at }
      const resultSchema = bag(dataOf(event)['resultSchema'])
      return resultSchema ? { ...type, resultSchema } : type
    },
  },
  'task_type.forgotten': { ids, reduce: () => undefined },
}
