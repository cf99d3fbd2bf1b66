/** What valid messages look like: from the catalogue's schemas, the golden frames, the documents' examples, and what tests of bad input have. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { EventInput } from '@hubbub/protocol'
import type { Random } from '../faults/random.js'
import { eventsOf, WORLDS } from '../harness/hostile.js'
import { BAD_EVENTS, BAD_MESSAGES } from '../path/malformed.js'
import { anyJson, mutateJson, strangeText } from './mutate.js'

/** Of every type that anybody may publish. Few ids: what is made of them must not become a world of its own. */
export const EVENTS: readonly EventInput[] = eventsOf({ name: 'plain', mark: 'fuzz', text: 'a few words', id: 'T-1' })

/** With hostile texts in every field; the endless ones are left to tests of size. */
export const HOSTILE_EVENTS: readonly EventInput[] = WORLDS.filter(({ text }) => text.length < 2000).flatMap(eventsOf)

const bad = (json: string) => json.length < 20_000

/** That are refused. */
export const BAD_INPUTS: readonly unknown[] = Object.values(BAD_EVENTS).flat().map(([, json]) => json).filter(bad).map((json) => JSON.parse(json) as unknown)

/** Requests and messages of every wire that stand in the documents, whatever they are. */
export const EXAMPLES: readonly Record<string, unknown>[] = ['PROTOCOL.md', 'docs/websocket.md', 'docs/streams.md', 'docs/sinks.md'].flatMap((file) => objectsIn(readFileSync(resolve(file), 'utf8')))

/** By name, the messages of a Socket.IO client. */
export const MESSAGES: readonly (readonly [name: string, input: unknown])[] = [
  ['subscribe', { topics: ['task:*', 'agent:a'], types: ['task.*'], filter: { stage: 'build', 'data.n': 3 }, batchMs: 50, latestOnly: true }],
  ['subscribe', { topics: ['task:T-1'], since: 'all' }], ['subscribe', { topics: ['*'], since: { last: 5 } }], ['subscribe', { topics: ['pipeline:*'], snapshot: true }], ['subscribe', { topics: ['task:a*'], since: '10m' }],
  ['unsubscribe', {}], ['unsubscribe', { topics: ['task:T-1'] }], ['unsubscribe', { subscriptionId: 's-1' }], ['signal', { topic: 'task:T-1', name: 'go', data: { a: [1] } }],
  ['snapshot', { topics: ['task:*', 'agent:a'], limit: 10 }], ['snapshot', { topics: ['task:T-1'], after: 'x' }], ['command', { command: 'task.pause', payload: { taskId: 'T-1' }, timeoutMs: 100 }],
  ['command', { name: 'git.create_branch', args: { branch: 'x' } }], ['broadcast', { topic: 'task:T-1', name: 'news', data: 1 }], ['agent.register', { agentType: 'coder', capabilities: ['test'], maxTasks: 2 }],
  ['system.health_check', {}], ['presence', { topic: 'task:T-1', watch: true }], ['auth.refresh', { token: 'a.b.c' }], ['command.handle', { commands: ['deploy'] }],
  ...BAD_MESSAGES.flatMap(([name, , , inputs]) => inputs.map((input) => [name, input] as const)).filter(([, input]) => bad(JSON.stringify(input) ?? '')),
]

/** An event as somebody hands it in: mostly one mutated, seldom whole, seldom anything. */
export function someEvent(random: Random): unknown {
  const choice = random.integer(0, 19)
  if (choice === 0) return anyJson(random)
  if (choice === 1) return random.pick(BAD_INPUTS)
  const event = random.pick(choice < 5 ? HOSTILE_EVENTS : EVENTS)
  // A repeated id is answered by the first outcome, and looked into no further.
  const fresh = { ...event, id: `f${random.integer(0, 2 ** 31)}` }
  return choice < 7 ? fresh : mutateJson(random, fresh)
}

export function someMessage(random: Random): readonly [name: string, input: unknown] {
  const [name, input] = random.pick(MESSAGES)
  const choice = random.integer(0, 9)
  if (choice === 0) return [strangeText(random), input]
  if (choice === 1) return [name, anyJson(random)]
  if (choice < 4) return ['publish', random.chance(0.2) ? Array.from({ length: random.integer(0, 3) }, () => someEvent(random)) : someEvent(random)]
  return [name, choice < 5 ? input : mutateJson(random, input)]
}

/** JSON objects in a text, each from its first brace; what is not JSON (an ellipsis, a comment) is passed over. */
function objectsIn(text: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = []
  for (const line of text.split('\n')) {
    const from = line.search(/\{ ?"/)
    if (from < 0) continue
    for (let to = line.lastIndexOf('}'); to > from; to = line.lastIndexOf('}', to - 1)) {
      try {
        found.push(JSON.parse(line.slice(from, to + 1)) as Record<string, unknown>)
        break
      } catch {
        // A shorter piece of it may be.
      }
    }
  }
  return found
}
