/**
 * An agent as a process, so that it can be killed: its role and entrance come as the first line of stdin. It says in lines of JSON when it
 * stands, how many tasks it works on and what was refused, and ends with its stdin, in order.
 */
import { createInterface } from 'node:readline'
import { enter } from './agent.mjs'
import { startClock } from './clock.mjs'

const lines = createInterface({ input: process.stdin })
const { value } = await lines[Symbol.asyncIterator]().next()
const { role, speed, ...entrance } = JSON.parse(value)

/** @param {object} line */
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const { agent } = enter(role, {
  ...entrance,
  clock: startClock(speed),
  troubles: new Map(),
  working: (tasks) => say({ working: tasks }),
  refused: (error, intended) => {
    const { code, message, details } = /** @type {{ code?: string, message?: string, details?: object }} */ (error)
    say({ refused: { code, message: message ?? String(error), details }, intended })
  },
})
process.stdin.once('end', () => void agent.drain({ timeoutMs: 1000 }).then(() => process.exit(0))).resume()
await agent.ready()
say({ ready: role.id })
