/** A whole cluster that is stopped at once, with agents on it: everybody ends in order. */
import { startCluster } from '../harness/cluster.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'

test('workers and processor that are stopped together exit 0, though nobody is left to commit that their agents are gone', async () => {
  const cluster = await startCluster({ workers: 2, processors: 1 })
  const agents = await Promise.all(cluster.workers.map(({ url }, n) => stockClient(url, { token: token({ sub: `a${n}`, role: 'agent' }) })))
  for (const agent of agents) await agent.socket.emitWithAck('agent.register', {})
  const codes = await Promise.all([...cluster.workers, ...cluster.processors].map((hub) => hub.stop()))
  for (const agent of agents) agent.close()
  await cluster.stop()
  expect(codes).toEqual([0, 0, 0])
}, 60_000)
