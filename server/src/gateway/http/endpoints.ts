/** Every address that the HTTP gateway answers, in one table: `/docs` shows it, and a test holds it against the routes. */

export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  about: string
}

export interface Group {
  title: string
  /** Who may ask; of the group's endpoints alike. */
  access: string
  endpoints: readonly Endpoint[]
}

const get = (path: string, about: string): Endpoint => ({ method: 'GET', path, about })
const post = (path: string, about: string): Endpoint => ({ method: 'POST', path, about })
const put = (path: string, about: string): Endpoint => ({ method: 'PUT', path, about })
const remove = (path: string, about: string): Endpoint => ({ method: 'DELETE', path, about })

const list = (path: string, of: string, filters: string): Endpoint[] => [
  get(`/api/v1/${path}`, `${of}, newest first; limit, after, ${filters}.`),
  get(`/api/v1/${path}/:id`, 'One of them.'),
]

export const ENDPOINTS: readonly Group[] = [
  {
    title: 'Events',
    access: 'publish:TYPE, subscribe:TOPIC',
    endpoints: [
      post('/api/v1/events', 'Publish one event, a list, or { events }; ack=accepted answers before the commit.'),
      get('/api/v1/history', 'Events of topics, since a cursor; wait=SECONDS waits for the next one.'),
      post('/webhooks/github', 'A signed delivery of GitHub.'),
      post('/webhooks/github/:project', 'The same, of a project.'),
    ],
  },
  {
    title: 'State',
    access: 'subscribe:TOPIC of what is read',
    endpoints: [
      get('/api/v1/snapshot', 'The state of what topics name, and the cursor at which it holds.'),
      ...list('agents', 'Agents', 'status, type, capability'),
      ...list('tasks', 'Tasks', 'status, pipelineId, stage, streamId, agentId, type'),
      ...list('pipelines', 'Pipelines', 'status'),
      ...list('streams', 'Streams of work', 'status'),
      ...list('checkpoints', 'Checkpoints', 'taskId, status'),
      ...list('runs', 'Runs', 'taskId, agentId, status'),
      get('/api/v1/task-types', 'Types of tasks that have a schema for their results.'),
      get('/api/v1/task-types/:id', 'One of them.'),
    ],
  },
  {
    title: 'Tasks',
    access: 'publish:task.created, publish:task.updated; command:execution.cancel to cancel and delete; task types: services and admins',
    endpoints: [
      post('/api/v1/tasks', 'Create a task: { type, id?, title?, parameters?, ... }.'),
      put('/api/v1/tasks/:id', 'Change title, parameters, deadline, priority or requires.'),
      remove('/api/v1/tasks/:id', 'Delete a task; its agent is told to stop.'),
      post('/api/v1/tasks/:id/cancel', 'Call it off: { reason?, timeoutMs? }; answered when it is finished.'),
      get('/api/v1/tasks/export/:format', 'All tasks as a file, json or csv; filters as in the list.'),
      get('/api/v1/tasks/:id/export/:format', 'One task as a file.'),
      put('/api/v1/task-types/:type', 'What results of a type must look like: { resultSchema }.'),
      remove('/api/v1/task-types/:type', 'Forget it.'),
    ],
  },
  {
    title: 'Polling',
    access: 'subscribe:TOPIC of what is read',
    endpoints: [
      get('/api/streams', 'Streams of work, without an envelope.'),
      get('/api/streams/:id', 'One of them, with its tasks.'),
      get('/api/tasks', 'Tasks, without an envelope.'),
      get('/api/tasks/:id', 'One of them.'),
      get('/api/checkpoints', 'Checkpoints, without an envelope.'),
      get('/api/checkpoints/:id', 'One of them.'),
    ],
  },
  {
    title: 'Administration',
    access: 'admin; the two of status: any credential',
    endpoints: [
      get('/api/v1/status', 'This process, and what the caller may know of the rest.'),
      get('/api/v1/websocket/status', 'Connections of this process.'),
      get('/api/v1/keys', 'API keys.'),
      post('/api/v1/keys', 'Make one.'),
      remove('/api/v1/keys/:id', 'Revoke one.'),
      post('/api/v1/revocations', 'Revoke a subject.'),
      get('/api/v1/dead', 'Dead letters.'),
      get('/api/v1/dead/:partition/:id', 'One of them.'),
      post('/api/v1/dead/:partition/:id/replay', 'Try it again.'),
      remove('/api/v1/dead/:partition/:id', 'Throw it away.'),
    ],
  },
  {
    title: 'Operation',
    access: 'everybody; /metrics as HUBBUB_METRICS says',
    endpoints: [
      get('/health', 'Whether the hub can be used.'),
      get('/health/live', 'Whether the process answers.'),
      get('/health/ready', 'Whether it should get traffic.'),
      get('/metrics', 'For Prometheus.'),
      get('/docs', 'This page.'),
    ],
  },
]
