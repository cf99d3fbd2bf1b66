/** An agent: `node examples/agent.mjs NAME [CAPABILITY...]`. It takes two tasks at once, and finishes what it has on Ctrl-C. */
import { drainOnSignals } from '@hubbub/client'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAs } from './hub.mjs'

const [name = 'coder-1', ...capabilities] = process.argv.slice(2)
const STEPS = 5

const agent = connectAs(name, 'agent').agent({
  id: name,
  type: 'coder',
  capabilities: capabilities.length > 0 ? capabilities : ['build', 'test'],
  concurrency: 2,
  metrics: () => ({ rssBytes: process.memoryUsage().rss }),
})

agent.onTask(async (task, { progress, log, signal }) => {
  console.log(`${task.id}: ${task.title ?? task.type}, attempt ${task.attempt}`)
  const stepMs = Number(task.parameters.ms ?? 1000) / STEPS
  for (let step = 1; step <= STEPS; step++) {
    // A task that was called off ends here: the hub is told so in place of a result.
    await sleep(stepMs, undefined, { signal })
    await progress((step / STEPS) * 100, `step ${step} of ${STEPS}`)
  }
  if (task.parameters.fails) throw new Error('as it was told to')
  await log('done')
  return { by: name }
})

drainOnSignals(agent)

try {
  const { agentId } = await agent.ready()
  console.log(`${agentId} is ready; Ctrl-C ends it when its tasks are done, a second one at once`)
} catch {
  // The reason was printed already, as every error of the client.
  process.exit(1)
}
