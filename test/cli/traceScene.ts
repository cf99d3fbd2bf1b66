/** Two workers and a processor, and `hubbub trace` as a shell runs it: what the tests of traces share. */
import type { CommittedTrace, SessionAccount, Trace } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster, type ClusterOptions } from '../harness/cluster.js'
import type { HubProcess } from '../harness/hub.js'
import { eventually } from '../harness/eventually.js'
import { token, type Claims } from '../harness/token.js'
import { command } from './command.js'

export interface TraceScene {
  cluster: Cluster
  near: HubProcess
  far: HubProcess
  /** Rejects unless it is committed; answers the offset. */
  publish(id: string, type: string, data: object, more?: { topics?: string[]; as?: string; ack?: string; at?: HubProcess; metadata?: object }): Promise<string>
  /** A new note on the topic. */
  note(id: string, topic: string, data?: object, more?: { type?: string }): Promise<string>
  /** What `hubbub trace --json` prints, asked of the far worker unless said otherwise. */
  trace(id: string, flags?: Asked): Promise<Trace>
  committed(id: string, flags?: Asked): Promise<CommittedTrace>
  /** The one session of the subject. */
  fate(id: string, subject: string): Promise<SessionAccount>
  run(id: string, flags?: Asked): Promise<{ code: number | null; stdout: string; stderr: string }>
  close(): Promise<void>
}

export interface Asked {
  session?: string
  subject?: string
  as?: string
  at?: HubProcess
}

/** Of tests that publish more than a client may. */
const ENV = {
  HUBBUB_LOG_LEVEL: 'warn', HUBBUB_TRACE_MS: '1000', HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=100000', HUBBUB_SLOW_BYTES: '65536',
  HUBBUB_SINK_PRIVATE: 'allow', HUBBUB_SINK_HTTP: 'allow', HUBBUB_SINK_RETRY_MS: '50', HUBBUB_SINK_RETRY_MOST_MS: '100',
}

export const as = (sub: string, more: Claims = {}): string => token({ sub, role: 'viewer', ...more })

export async function startTraceScene(options: ClusterOptions = {}): Promise<TraceScene> {
  const cluster = await startCluster({ workers: 0, processors: 0, partitions: 1, ...options, env: { ...ENV, ...options.env } })
  await cluster.addProcessor({ env: { HUBBUB_NODE_ID: 'mill' } })
  const near = await cluster.addWorker({ env: { HUBBUB_NODE_ID: 'near' } })
  const far = await cluster.addWorker({ env: { HUBBUB_NODE_ID: 'far' } })
  const scene: TraceScene = {
    cluster,
    near,
    far,
    async publish(id, type, data, { topics, as: who = token({ sub: 'engine', role: 'service' }), ack = 'committed', at = near, metadata } = {}) {
      const told = await ask(`${at.url}/api/v1/events?ack=${ack}`, { as: who, json: { id, type, data, ...(topics && { topics }), ...(metadata && { metadata }) } })
      if (told.body.ok !== true) throw new Error(told.text)
      return String(told.body['offset'])
    },
    note: (id, topic, data = {}, { type = 'custom.note' } = {}) => scene.publish(id, type, data, { topics: [topic] }),
    run(id, { session, subject, as: who = token(), at = far } = {}) {
      const flags = [...(session === undefined ? [] : ['--session', session]), ...(subject === undefined ? [] : ['--subject', subject])]
      return command(['trace', id, '--json', ...flags], { HUBBUB_URL: at.url, HUBBUB_TOKEN: who })
    },
    async trace(id, flags) {
      const { code, stdout, stderr } = await scene.run(id, flags)
      if (stdout === '') throw new Error(`exit ${code}: ${stderr}`)
      const told = JSON.parse(stdout) as Trace
      expect(code).toBe(told.status === 'committed' ? 0 : 1)
      return told
    },
    async committed(id, flags) {
      const told = await scene.trace(id, flags)
      if (told.status !== 'committed') throw new Error(JSON.stringify(told))
      return told
    },
    async fate(id, subject) {
      const { sessions } = await scene.committed(id, { subject })
      expect(sessions).toHaveLength(1)
      return sessions![0]!
    },
    close: () => cluster.stop('kill'),
  }
  // Each on the other's roll.
  await eventually(async () => {
    await scene.publish('warm-up', 'custom.note', {}, { topics: ['project'] })
    const { trace } = (await ask(`${far.url}/api/v1/trace/warm-up`, { as: token() })).body as unknown as { trace: CommittedTrace }
    return trace.workers.length === 2 && trace.workers.every(({ answered }) => answered)
  }, 'both workers')
  return scene
}
