/** A run as AG-UI has it: somebody asks, the agent thinks aloud, calls a tool, answers, and keeps its state on the way. */
import { CONVERSATIONS } from './words.mjs'

/** Words that come at once, as a model's answer does. */
const WORDS_AT_ONCE = 3

/**
 * Takes so many minutes of story and is published in the agent's name. Answers the run's id; rejects when the task is called off.
 * @param {import('./shift.mjs').Shift} shift @param {number} minutes
 */
export async function converse(shift, minutes) {
  const { task, player, chance } = shift
  const runId = `run-${task.id}-${task.attempt}`
  const threadId = `thread-${task.pipelineId ?? task.id}`
  const options = { topics: [`task:${task.id}`, `agent:${player.id}`], metadata: { runId, threadId } }
  const events = eventsOf(chance.one(CONVERSATIONS[task.type ?? 'code'] ?? CONVERSATIONS.code ?? []), { runId, threadId, task: task.title ?? task.id })
  /** @type {Promise<void>[]} */
  const said = []
  let isOpen = false
  try {
    for (const event of events) {
      await player.clock.pass(minutes / events.length, shift.context.signal)
      isOpen = event.type !== 'RUN_FINISHED'
      // Not awaited one by one: a client keeps the order of its publishes.
      said.push(shift.say(`agui.${event.type.toLowerCase()}`, event, options))
    }
  } catch (error) {
    // Whoever follows the run must not wait for its end for ever.
    if (isOpen) await player.client.publish('agui.run_error', { type: 'RUN_ERROR', message: 'The task was called off.', code: 'CANCELLED' }, options)
    throw error
  } finally {
    await Promise.all(said)
  }
  return runId
}

/**
 * @param {import('./words.mjs').Conversation} talk @param {{ runId: string, threadId: string, task: string }} place
 * @returns {(Record<string, unknown> & { type: string })[]}
 */
function eventsOf({ asked, thought, first, tool, last, focus }, { runId, threadId, task }) {
  const toolCallId = `${runId}-tool`
  return [
    { type: 'RUN_STARTED', threadId, runId },
    { type: 'STATE_SNAPSHOT', snapshot: { task, focus, step: 'reading', findings: [] } },
    ...message(`${runId}-asked`, 'user', asked, asked.length),
    { type: 'STEP_STARTED', stepName: 'think' },
    { type: 'REASONING_START', messageId: `${runId}-thought` },
    { type: 'REASONING_MESSAGE_START', messageId: `${runId}-thought`, role: 'reasoning' },
    ...pieces(thought).map((delta) => ({ type: 'REASONING_MESSAGE_CONTENT', messageId: `${runId}-thought`, delta })),
    { type: 'REASONING_MESSAGE_END', messageId: `${runId}-thought` },
    { type: 'REASONING_END', messageId: `${runId}-thought` },
    { type: 'STEP_FINISHED', stepName: 'think' },
    ...message(`${runId}-first`, 'assistant', first),
    { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/step', value: `asking ${tool.name}` }] },
    { type: 'STEP_STARTED', stepName: tool.name },
    { type: 'TOOL_CALL_START', toolCallId, toolCallName: tool.name, parentMessageId: `${runId}-first` },
    ...pieces(JSON.stringify(tool.args, null, 1), 2).map((delta) => ({ type: 'TOOL_CALL_ARGS', toolCallId, delta })),
    { type: 'TOOL_CALL_END', toolCallId },
    { type: 'TOOL_CALL_RESULT', messageId: `${runId}-result`, toolCallId, content: tool.result, role: 'tool' },
    { type: 'STEP_FINISHED', stepName: tool.name },
    { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/step', value: 'answering' }, { op: 'add', path: '/findings/-', value: { tool: tool.name, result: tool.result } }] },
    ...message(`${runId}-last`, 'assistant', last),
    { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/step', value: 'done' }] },
    { type: 'RUN_FINISHED', threadId, runId, outcome: { type: 'success' } },
  ]
}

/** @param {string} messageId @param {'user' | 'assistant'} role @param {string} text @param {number} [words] */
function message(messageId, role, text, words) {
  return [
    { type: 'TEXT_MESSAGE_START', messageId, role },
    ...pieces(text, words).map((delta) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId, delta })),
    { type: 'TEXT_MESSAGE_END', messageId },
  ]
}

/** Joined again they are the text. */
function pieces(/** @type {string} */ text, words = WORDS_AT_ONCE) {
  const found = text.match(/\S+\s*/g) ?? [text]
  return Array.from({ length: Math.ceil(found.length / words) }, (_, part) => found.slice(part * words, (part + 1) * words).join(''))
}
