/** A Redis Cluster of three masters with a replica each, all real processes on free ports. */
import { eventually } from './eventually.js'
import { freePort } from './port.js'
import { startRedis, type RedisProcess } from './redis.js'
import { commandTo, infoOf, inSync } from './replicas.js'

export interface RedisCluster {
  /** `redis+cluster://...`, of two of the nodes. */
  url: string
  /** Three that began as masters, then the replica of each. */
  nodes: RedisProcess[]
  /** Of the node that serves the slot now. */
  masterOf(slot: number): Promise<RedisProcess>
  replicaOf(master: RedisProcess): Promise<RedisProcess>
  /** Resolves when every living node takes another one for the master of the slot, and the Cluster for whole. */
  failedOver(slot: number, from: RedisProcess): Promise<RedisProcess>
  id(node: RedisProcess): Promise<string>
  /** Empties all masters. */
  flush(): Promise<void>
  stop(): Promise<void>
}

const MASTERS = 3
const NODE = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '2000', '--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0']

export async function startRedisCluster({ args = [] }: { args?: string[] } = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, async () => startRedis({ args: [...NODE, ...args, '--cluster-port', String(await freePort())] })))
  const masters = nodes.slice(0, MASTERS)
  await form(nodes, masters)
  const alive = async () => {
    const answers = await Promise.all(nodes.map((node) => commandTo(node, 'CLUSTER', 'SLOTS').then((reply) => ({ node, ranges: reply as Range[] }), () => undefined)))
    return answers.filter((answer) => answer !== undefined)
  }
  const portOf = (ranges: readonly Range[], slot: number) => ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1]
  const byPort = (port: number | undefined) => nodes.find((node) => node.port === port)!
  const roleOf = async (node: RedisProcess) => infoOf(node, 'replication').catch(() => new Map<string, string>())
  return {
    url: `redis+cluster://127.0.0.1:${nodes[0]!.port},127.0.0.1:${nodes[MASTERS]!.port}`,
    nodes,
    async masterOf(slot) {
      const [first] = await alive()
      return byPort(portOf(first!.ranges, slot))
    },
    async replicaOf(master) {
      const roles = await Promise.all(nodes.map(async (node) => ({ node, role: await roleOf(node) })))
      return roles.find(({ role }) => role.get('master_port') === String(master.port))!.node
    },
    async failedOver(slot, from) {
      const port = await eventually(async () => {
        const ports = new Set((await alive()).map(({ ranges }) => portOf(ranges, slot)))
        const states = await Promise.all((await alive()).map(({ node }) => commandTo(node, 'CLUSTER', 'INFO')))
        return ports.size === 1 && !ports.has(from.port) && states.every((text) => String(text).includes('cluster_state:ok')) && [...ports][0]
      }, 'the failover', 30_000)
      return byPort(port)
    },
    id: async (node) => String(await commandTo(node, 'CLUSTER', 'MYID')),
    async flush() {
      for (const node of nodes) if ((await roleOf(node)).get('role') === 'master') await commandTo(node, 'FLUSHALL')
    },
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}

type Range = [first: number, last: number, master: [host: string, port: number, id: string]]

async function form(nodes: readonly RedisProcess[], masters: readonly RedisProcess[]): Promise<void> {
  const share = Math.ceil(16_384 / masters.length)
  for (const [place, node] of nodes.entries()) await commandTo(node, 'CLUSTER', 'SET-CONFIG-EPOCH', String(place + 1))
  for (const [place, node] of masters.entries()) await commandTo(node, 'CLUSTER', 'ADDSLOTSRANGE', String(place * share), String(Math.min(16_384, (place + 1) * share) - 1))
  for (const node of nodes.slice(1)) {
    const busPort = (await commandTo(node, 'CONFIG', 'GET', 'cluster-port')) as Record<string, string>
    await commandTo(nodes[0]!, 'CLUSTER', 'MEET', '127.0.0.1', String(node.port), busPort['cluster-port']!)
  }
  for (const node of nodes) await eventually(async () => String(await commandTo(node, 'CLUSTER', 'INFO')).includes(`cluster_known_nodes:${nodes.length}`), 'the nodes knowing each other', 20_000)
  for (const [place, node] of nodes.slice(masters.length).entries()) {
    const id = String(await commandTo(masters[place % masters.length]!, 'CLUSTER', 'MYID'))
    // Refused until the node heard of that one.
    await eventually(() => commandTo(node, 'CLUSTER', 'REPLICATE', id), 'a replica knowing its master')
    await inSync(node)
  }
  for (const node of nodes) await eventually(async () => String(await commandTo(node, 'CLUSTER', 'INFO')).includes('cluster_state:ok'), 'the Cluster being whole', 20_000)
  const replicasKnown = async (node: RedisProcess) => ((await commandTo(node, 'CLUSTER', 'SLOTS')) as unknown[][]).every((range) => range.length === 4)
  for (const node of nodes) await eventually(() => replicasKnown(node), 'every node knowing the replicas', 20_000)
}
