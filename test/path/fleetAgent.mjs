/** One agent of the fleet, a process of its own: works off what it is given, and keeps a log that outlives its death. */
import { appendFileSync } from 'node:fs'
import { setTimeout as work } from 'node:timers/promises'
import { connect, drainOnSignals } from '@hubbub/client'

const { FLEET_URL, FLEET_TOKEN, FLEET_LOG, FLEET_SKILL } = process.env
const log = (line) => appendFileSync(FLEET_LOG, `${JSON.stringify(line)}\n`)

const client = connect(FLEET_URL, { token: FLEET_TOKEN, reconnect: { minMs: 50, maxMs: 500 } })
client.onError((error) => log({ trouble: error.code, message: error.message }))
const agent = client.agent({ type: 'worker', capabilities: ['any', FLEET_SKILL], concurrency: 1 })
agent.onTask(async (task, context) => {
  log({ begun: task.id, lease: task.leaseToken })
  await context.progress(40)
  await work(5 + Math.random() * 20)
  context.signal.throwIfAborted()
  const result = { by: agent.id, pid: process.pid, lease: task.leaseToken }
  log({ sent: task.id, lease: task.leaseToken, result })
  return result
})
drainOnSignals(agent)
await agent.ready()
process.stdout.write('ready\n')
