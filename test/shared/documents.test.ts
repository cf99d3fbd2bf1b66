/** Messages as the documents print them from which the vocabulary was drawn, word for word. */
import { normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { LIMITS } from './limits.js'

const messages: [what: string, message: string, type: string, topics: string[]][] = [
  ['an agent\'s status', `{
    "id": "evt-123", "type": "agent_status", "timestamp": 1703775135000,
    "data": { "agentId": "coder-001", "agentType": "coder", "status": "busy",
      "currentTask": { "id": "task-789", "type": "implement_feature", "progress": 65 },
      "metrics": { "cpuUsage": 45.2, "memoryUsage": 1024000000, "tasksCompleted": 12 } } }`, 'agent.status_changed', ['agent:coder-001']],
  ['a change of phase', `{
    "id": "evt-234", "type": "tdd_phase_change", "timestamp": 1703775200000,
    "data": { "agentId": "coder-001", "taskId": "task-789", "previousPhase": "red", "currentPhase": "green",
      "testResults": { "total": 45, "passing": 45, "failing": 0 }, "coverage": { "lines": 98.5, "branches": 95.2, "functions": 100 } } }`,
  'tdd.phase_changed', ['agent:coder-001', 'task:task-789']],
  ['a stream\'s progress', `{
    "type": "event", "timestamp": "2026-01-08T12:34:56Z",
    "payload": { "topic": "stream:Stream-A", "eventType": "stream.progress", "data": {
      "streamId": "Stream-A", "streamName": "foundation", "totalTasks": 4, "completedTasks": 2, "inProgressTasks": 1, "blockedTasks": 0,
      "progressPercentage": 50.0, "lastUpdated": "2026-01-08T12:34:56Z" } } }`, 'stream.progress', ['stream:Stream-A']],
  ['a task\'s new status', `{
    "type": "event", "timestamp": "2026-01-08T12:35:10Z",
    "payload": { "topic": "task:TASK-123", "eventType": "task.status_changed", "data": {
      "taskId": "TASK-123", "taskTitle": "Implement JWT authentication", "oldStatus": "in_progress", "newStatus": "completed",
      "statusChangedAt": "2026-01-08T12:35:10Z" } } }`, 'task.status_changed', ['task:TASK-123']],
  ['a handoff', `{
    "type": "event", "timestamp": "2026-01-08T12:36:00Z",
    "payload": { "topic": "agent:agent-ta", "eventType": "agent.handoff", "data": {
      "handoffId": "HO-abc123", "taskId": "TASK-456", "fromAgent": "agent-ta", "toAgent": "agent-me", "chainPosition": 1, "chainLength": 2,
      "handoffContext": "Design complete, ready for implementation", "workProductId": "WP-def456", "handoffAt": "2026-01-08T12:36:00Z" } } }`,
  'agent.handoff', ['agent:agent-ta', 'agent:agent-me', 'task:TASK-456']],
  ['a stream\'s progress with less in it', `{
    "type": "event", "timestamp": "2026-01-08T12:00:30Z",
    "payload": { "topic": "stream:Stream-A", "eventType": "stream.progress", "data": {
      "streamId": "Stream-A", "streamName": "foundation", "totalTasks": 4, "completedTasks": 1, "progressPercentage": 25.0 } } }`,
  'stream.progress', ['stream:Stream-A']],
  ['a custom event', '{"type": "custom", "data": {}}', 'custom.event', ['project']],
  ['a progress report', '{"type": "task:progress", "payload": {"task_id": "task_001", "progress": 75, "message": ""}}', 'task.progress', ['task:task_001']],
  ['an event bus\'s progress', `{"event_type": "progress_update", "timestamp": "2025-01-01T00:00:00.123456",
    "data": {"task_id": "task_001", "progress": 0.75, "message": "Processing documents...", "confidence": 0.85}}`, 'task.progress', ['task:task_001']],
  ['a tool call', `{"event_type": "tool_call.end", "data": {"task_id": "task_001", "tool_name": "web_scraper",
    "args": {"url": "https://example.com"}, "result": {"status": "success"}}}`, 'agui.tool_call_end', ['task:task_001']],
  ['a completed task', `{"event_type": "task:completed", "payload": {"task_id": "t", "status": "completed", "completed_at": "2025-01-01T00:00:00.000001"}}`,
    'task.completed', ['task:t']],
  ['a completed task without a time', '{"event_type": "task:completed", "payload": {"task_id": "t", "status": "completed", "completed_at": null}}', 'task.completed', ['task:t']],
  ['a pipeline\'s task', `{"event_type": "pipeline:task_completed", "event_id": "0b0e", "timestamp": "2025-01-01T00:00:00",
    "payload": {"task_id": "t", "pipeline_id": "p", "stage": 2, "agent_id": "a"}}`, 'pipeline.task_completed', ['pipeline:p', 'pipeline:p:stage:2', 'task:t']],
  ['a registered agent', `{"event_type": "agent:registered", "payload": {"agent_id": "a", "status": "idle",
    "registered_at": "2025-01-01T00:00:00", "permissions": ["task:result"]}}`, 'agent.registered', ['agent:a']],
  ['a heartbeat', '{"type": "agent:heartbeat", "payload": {"current_tasks": ["t-1"], "system_metrics": {"cpu_usage": 3}}}', 'agent.heartbeat', ['project']],
  ['a started task', '{"type": "task_started", "data": {"project_id": "my-project", "task_id": "T-001"}}', 'task.started', ['task:T-001', 'project']],
]

describe('the documents\' messages', () => {
  it.each(messages)('%s', (_, message, type, topics) => {
    const event = normalise(JSON.parse(message), LIMITS)
    expect(event.type).toBe(type)
    expect(routeTopics(event)).toEqual(topics)
    expect(normalise(event, LIMITS)).toEqual(event)
  })

  it('keep what they say', () => {
    const [, message] = messages[0]!
    const said = JSON.parse(message) as { data: unknown }
    expect(normalise(said, LIMITS)).toMatchObject({ id: 'evt-123', timestamp: 1_703_775_135_000, data: said.data })
  })
})
