/** A run with something of everything, and runs made up at random, of which a client takes every event. */
import type { Said } from './aguiClient.js'

export const started = (runId: string, more: object = {}): Said => ({ type: 'RUN_STARTED', threadId: 't', runId, ...more })
export const finished = (runId: string): Said => ({ type: 'RUN_FINISHED', threadId: 't', runId, result: { ok: true } })

/** Text, tools, state, steps, reasoning, activities, subagents and chunks, some of them open beside each other. */
export function script(runId: string): Said[] {
  return [
    started(runId, { input: { threadId: 't', runId, state: {}, messages: [{ id: 'u1', role: 'user', content: 'Which tests fail?' }], tools: [], context: [] } }),
    { type: 'STATE_SNAPSHOT', snapshot: { found: [], plan: { steps: 2 } } },
    { type: 'STEP_STARTED', stepName: 'look' },
    { type: 'REASONING_START', messageId: 'r1' },
    { type: 'REASONING_MESSAGE_START', messageId: 'r1', role: 'reasoning' },
    { type: 'REASONING_MESSAGE_CONTENT', messageId: 'r1', delta: 'First I ' },
    { type: 'REASONING_MESSAGE_CONTENT', messageId: 'r1', delta: 'look around.', metadata: { model: 'm' } },
    { type: 'REASONING_MESSAGE_END', messageId: 'r1' },
    { type: 'REASONING_END', messageId: 'r1' },
    { type: 'TEXT_MESSAGE_START', messageId: 'm1', role: 'assistant', metadata: { a: 1 } },
    { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta: 'ab' },
    { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'search', parentMessageId: 'm1' },
    { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{"q":' },
    { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta: 'ab' },
    { type: 'STATE_DELTA', delta: [{ op: 'add', path: '/found/-', value: 'x' }] },
    { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '1}' },
    { type: 'TOOL_CALL_END', toolCallId: 'c1' },
    { type: 'TEXT_MESSAGE_END', messageId: 'm1', metadata: { usage: 3 } },
    { type: 'TOOL_CALL_RESULT', messageId: 'res1', toolCallId: 'c1', content: 'found' },
    { type: 'STEP_FINISHED', stepName: 'look' },
    { type: 'SUBAGENT_STARTED', subagentRunId: 's1', name: 'helper' },
    { type: 'STEP_STARTED', stepName: 'help', subagentRunId: 's1' },
    { type: 'TEXT_MESSAGE_START', messageId: 'm2', role: 'assistant', subagentRunId: 's1' },
    { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm3', role: 'assistant', delta: 'chunk ' },
    { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm2', delta: 'sub', subagentRunId: 's1' },
    { type: 'TEXT_MESSAGE_CHUNK', delta: 'by chunk' },
    { type: 'ACTIVITY_SNAPSHOT', messageId: 'a1', activityType: 'PLAN', content: { done: 0 } },
    { type: 'TEXT_MESSAGE_CHUNK', delta: ', and on', metadata: { late: true } },
    { type: 'TEXT_MESSAGE_END', messageId: 'm2', subagentRunId: 's1' },
    { type: 'STEP_FINISHED', stepName: 'help', subagentRunId: 's1' },
    { type: 'SUBAGENT_FINISHED', subagentRunId: 's1', result: 1 },
    { type: 'ACTIVITY_DELTA', messageId: 'a1', activityType: 'PLAN', patch: [{ op: 'replace', path: '/done', value: 1 }] },
    { type: 'TOOL_CALL_CHUNK', toolCallId: 'c2', toolCallName: 'ask', delta: '{' },
    { type: 'TOOL_CALL_CHUNK', delta: '}' },
    { type: 'REASONING_ENCRYPTED_VALUE', subtype: 'tool-call', entityId: 'c2', encryptedValue: 'e' },
    { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/plan/steps', value: 1 }, { op: 'test', path: '/found', value: ['x'] }] },
    { type: 'CUSTOM', name: 'note', value: null },
    { type: 'RAW', event: { any: [1] }, source: 's' },
    finished(runId),
  ]
}

/** Numbers from 0 to 1, the same for a seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Open {
  texts: { id: string; tag: object }[]
  calls: { id: string; tag: object }[]
  reasonings: { id: string; tag: object }[]
  steps: { name: string; tag: object }[]
  activities: { id: string; tag: object }[]
  agents: string[]
  chunk?: string
}

/** A valid run of about so many events. Snapshots of messages come in only by `snapshotAt`, for they must name what there is. */
export function randomRun(seed: number, length: number): Said[] {
  const next = dice(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!
  const open: Open = { texts: [], calls: [], reasonings: [], steps: [], activities: [], agents: [] }
  const events: Said[] = [started('r', next() < 0.5 ? {} : { input: { threadId: 't', runId: 'r', messages: [{ id: 'u0', role: 'user', content: 'hi' }], tools: [], context: [] } })]
  let made = 0
  const id = (kind: string) => `${kind}${made++}`
  const tag = () => (open.agents.length > 0 && next() < 0.5 ? { subagentRunId: pick(open.agents) } : {})
  const meta = () => (next() < 0.2 ? { metadata: { [pick(['a', 'b'])]: Math.floor(next() * 9) } } : {})
  const take = <T>(list: T[]): T => list.splice(Math.floor(next() * list.length), 1)[0]!
  const moves: (() => Said[])[] = [
    () => begin(open.texts, 'm', (one) => ({ type: 'TEXT_MESSAGE_START', messageId: one.id, ...(next() < 0.5 && { role: 'assistant', name: 'n' }), ...one.tag, ...meta() })),
    () => some(open.texts, (one) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: one.id, delta: pick(['ab', 'c', '']), ...(next() < 0.5 && one.tag), ...meta() })),
    () => end(open.texts, (one) => ({ type: 'TEXT_MESSAGE_END', messageId: one.id, ...meta() })),
    () => begin(open.calls, 'c', (one) => ({ type: 'TOOL_CALL_START', toolCallId: one.id, toolCallName: 'f', ...(next() < 0.3 && { parentMessageId: id('p') }), ...one.tag, ...meta() })),
    () => some(open.calls, (one) => ({ type: 'TOOL_CALL_ARGS', toolCallId: one.id, delta: '1', ...meta() })),
    () => some(open.calls, (one) => ({ type: 'TOOL_CALL_RESULT', messageId: id('res'), toolCallId: one.id, content: 'x', ...meta() })),
    () => end(open.calls, (one) => ({ type: 'TOOL_CALL_END', toolCallId: one.id })),
    () => begin(open.reasonings, 'r', (one) => ({ type: 'REASONING_MESSAGE_START', messageId: one.id, role: 'reasoning', ...one.tag })),
    () => some(open.reasonings, (one) => ({ type: 'REASONING_MESSAGE_CONTENT', messageId: one.id, delta: 'z', ...meta() })),
    () => end(open.reasonings, (one) => ({ type: 'REASONING_MESSAGE_END', messageId: one.id })),
    () => {
      const step = { name: id('step'), tag: tag() }
      open.steps.push(step)
      return [{ type: 'STEP_STARTED', stepName: step.name, ...step.tag }]
    },
    () => end(open.steps, ({ name, tag: of }) => ({ type: 'STEP_FINISHED', stepName: name, ...of })),
    () => {
      const name = id('s')
      const parent = open.agents.length > 0 && next() < 0.5 ? { parentSubagentRunId: pick(open.agents) } : {}
      open.agents.push(name)
      return [{ type: 'SUBAGENT_STARTED', subagentRunId: name, name, ...parent }]
    },
    () => end(open.agents, (name) => ({ type: next() < 0.5 ? 'SUBAGENT_FINISHED' : 'SUBAGENT_ERROR', subagentRunId: name, message: 'm' })),
    () => begin(open.activities, 'act', (one) => ({ type: 'ACTIVITY_SNAPSHOT', messageId: one.id, activityType: 'A', content: { n: 0, list: [1] }, ...one.tag, ...meta() })),
    () => some(open.activities, (one) => ({ type: 'ACTIVITY_DELTA', messageId: one.id, activityType: pick(['A', 'B']), patch: [{ op: 'replace', path: pick(['/n', '/none', '/list/0']), value: made }], ...meta() })),
    () => some(open.activities, (one) => ({ type: 'ACTIVITY_SNAPSHOT', messageId: one.id, activityType: 'C', content: { fresh: made }, replace: next() < 0.5, ...one.tag })),
    () => [{ type: 'STATE_SNAPSHOT', snapshot: pick<unknown>([{ a: { b: [1, 2] } }, null, 0, { a: 1, b: [] }, [1]]) }],
    () => [{ type: 'STATE_DELTA', delta: Array.from({ length: 1 + Math.floor(next() * 3) }, () => operation(pick)) }],
    () => {
      if (open.chunk === undefined || next() < 0.4) open.chunk = id('ch')
      else if (next() < 0.7) return [{ type: 'TEXT_MESSAGE_CHUNK', messageId: open.chunk, delta: 'k', ...meta() }]
      return [{ type: 'TEXT_MESSAGE_CHUNK', messageId: open.chunk, delta: 'first' }, { type: 'TEXT_MESSAGE_CHUNK', delta: ' more', ...meta() }, { type: 'RAW', event: 1 }, { type: 'TEXT_MESSAGE_CHUNK', delta: '!' }]
    },
    () => {
      const call = id('tc')
      return [{ type: 'TOOL_CALL_CHUNK', toolCallId: call, toolCallName: 'g', delta: '{' }, { type: 'TOOL_CALL_CHUNK', toolCallId: call, delta: '"' }, { type: 'TOOL_CALL_CHUNK', delta: '}' }]
    },
    () => [{ type: 'REASONING_MESSAGE_CHUNK', messageId: id('rc'), delta: 'q' }, { type: 'REASONING_MESSAGE_CHUNK', delta: 'w', ...meta() }],
  ]

  function begin(list: Open['texts'], kind: string, say: (one: Open['texts'][number]) => Said): Said[] {
    const one = { id: id(kind), tag: tag() }
    list.push(one)
    return [say(one)]
  }
  function some<T>(list: T[], say: (one: T) => Said): Said[] {
    return list.length === 0 ? [] : [say(pick(list))]
  }
  function end<T>(list: T[], say: (one: T) => Said): Said[] {
    return list.length === 0 ? [] : [say(take(list))]
  }

  while (events.length < length) events.push(...pick(moves)())
  const endings = [2, 6, 9, 11, 13].map((place) => moves[place]!)
  for (const ending of endings) for (let said = ending(); said.length > 0; said = ending()) events.push(...said)
  return [...events, finished('r')]
}

function operation(pick: <T>(list: readonly T[]) => T): object {
  const path = pick(['', '/a', '/a/b', '/a/b/0', '/a/b/-', '/a/b/7', '/b', '/b/-', '/0', '/c~1d', '/none/x'])
  const op = pick(['add', 'replace', 'remove', 'move', 'copy', 'test'])
  if (op === 'remove') return { op, path: path || '/a' }
  if (op === 'move' || op === 'copy') return { op, path: path || '/z', from: pick(['/a', '/b', '/a/b', '/a/b/0', '/none']) }
  return { op, path, value: pick<unknown>([1, 'x', { b: [3] }, null, [1, 2]]) }
}
