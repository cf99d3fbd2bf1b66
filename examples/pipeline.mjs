/** A pipeline of five tasks: `node examples/pipeline.mjs`. Two builds, two tests that wait for them, and a release. Ctrl-C calls it off. */
import { randomBytes } from 'node:crypto'
import { connectAs } from './hub.mjs'

const client = connectAs('release-bot', 'service')
const pipelineId = `release-${randomBytes(3).toString('hex')}`
const id = (/** @type {string} */ name) => `${pipelineId}-${name}`

/** @type {import('@hubbub/client').TaskOrder[]} */
const orders = [
  { id: id('server'), type: 'build', title: 'Build the server', requires: ['build'], stage: 1 },
  { id: id('page'), type: 'build', title: 'Build the page', requires: ['build'], stage: 1, parameters: { ms: 2000 } },
  { id: id('unit'), type: 'test', title: 'Test the server', requires: ['test'], stage: 2, dependsOn: [id('server')] },
  { id: id('e2e'), type: 'test', title: 'Test both', requires: ['test'], stage: 2, dependsOn: [id('server'), id('page')] },
  { id: id('release'), type: 'build', title: 'Release', requires: ['build'], stage: 3, priority: 'high', dependsOn: [id('unit'), id('e2e')] },
]

// Watching before anything is created: a change that happens meanwhile is not missed either way, but so each of them is seen.
const live = await client.watch(`pipeline:${pipelineId}`)
live.onChange(({ kind, before, after }) => {
  if (kind !== 'task' || after?.kind !== 'task' || (before?.kind === 'task' && before.status === after.status)) return
  console.log(`${after.title ?? after.id}: ${after.status}${after.agentId ? ` (${after.agentId})` : ''}${after.error ? `: ${after.error}` : ''}`)
})

process.once('SIGINT', () => {
  console.log('calling it off')
  const open = live.list('task').filter((task) => task.finishedAt === undefined)
  void Promise.allSettled(open.map((task) => client.tasks.cancel(task.id, 'Ctrl-C')))
})

await Promise.all(orders.map((order) => client.tasks.create({ ...order, pipelineId })))
const finished = await Promise.all(orders.map((order) => client.tasks.wait(String(order.id))))
const completed = finished.filter((task) => task.status === 'completed').length
console.log(`${pipelineId}: ${completed} of ${finished.length} completed`)
client.close()
process.exitCode = completed === finished.length ? 0 : 1
