/** One agent of the cast, signed on: its client, its load as it beats, and what it does with tasks. */
import { connect, HubError } from '@hubbub/client'
import { chanceOf } from './clock.mjs'
import { GitHub } from './github.mjs'
import { playing } from './works.mjs'

const MIB = 1024 * 1024

/**
 * @typedef {object} Entrance
 * @property {string} url
 * @property {string} apiKey of this agent
 * @property {string | undefined} githubSecret
 * @property {string | number} seed
 * @property {import('./clock.mjs').Clock} clock
 * @property {Map<string, import('./shift.mjs').Trouble[]>} troubles
 * @property {(error: unknown, intended: boolean) => void} refused
 * @property {boolean} [isBack] after its process died: mail that it had not marked as read comes again, and it is told that the lease is over
 * @property {(tasks: number) => void} [working] told how many tasks it works on, with each change
 */

/** @param {import('./cast.mjs').Role} role @param {Entrance} entrance */
export function enter(role, { url, apiKey, githubSecret, seed, clock, troubles, refused, isBack, working }) {
  const client = connect(url, { apiKey })
  const github = new GitHub({ url, secret: githubSecret, clock, refused: (error) => refused(error, false) })
  const player = { id: role.id, client, clock, github, seed, troubles, refused, givenBack: new Set() }
  client.onError((error) => {
    // Connections come and go; a refusal stays one.
    if (error instanceof HubError && error.retryable) return
    refused(error, player.givenBack.has(error.details?.taskId) || (isBack === true && error.code === 'STALE_LEASE'))
  })
  const { id, type, capabilities, concurrency } = role
  const finished = { count: 0 }
  let inHand = 0
  const agent = client.agent({ id, type, capabilities, concurrency, metrics: loadOf(role, seed, () => agent.tasks.length, finished) })
  const play = playing(player)
  agent.onTask(async (task, context) => {
    working?.(++inHand)
    try {
      const result = await play(task, context)
      finished.count++
      return result
    } finally {
      working?.(--inHand)
    }
  })
  return { client, agent, github }
}

/** Figures that wander as those of real processes do: work shows, memory grows until it is collected. @param {import('./cast.mjs').Role} role @param {string | number} seed @param {() => number} tasks @param {{ count: number }} finished */
function loadOf(role, seed, tasks, finished) {
  const chance = chanceOf(seed, role.id, 'load')
  let cpu = role.load
  let garbage = 0
  return () => {
    const wanted = role.load + tasks() * 38
    cpu = Math.min(98, Math.max(1, cpu + (wanted - cpu) * 0.4 + (chance.next() - 0.5) * 9))
    garbage = garbage > 120 + 60 * chance.next() ? garbage * 0.2 : garbage + (tasks() > 0 ? 14 : 3) * chance.next()
    const memory = role.memory + 90 * tasks() + garbage
    return { cpuUsage: Math.round(cpu * 10) / 10, memoryUsage: Math.round(memory * MIB), tasksCompleted: finished.count }
  }
}
