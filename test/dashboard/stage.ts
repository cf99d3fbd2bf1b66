/**
 * A hub as operators run it, behind a proxy with faults, and a Chromium that opens its dashboard there. What tests of views need: real events
 * through public ways, pages in any size and colours, and all that a page complains about.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { connect, type EntityView, type Kind } from '@hubbub/client'
import type { EventInput } from '@hubbub/protocol'
import { startChromium } from '../browser/chromium.js'
import { ask, type Asked, type Told } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'
import { openPage, type Opened, type Opening } from './opened.js'

/** Nobody of the cast grows old, and no rate is in the way of a thousand events. */
const ENVIRONMENT = {
  HUBBUB_HEARTBEAT_MS: '600000', HUBBUB_STALE_MS: '1800000', HUBBUB_OFFLINE_MS: '3000000', HUBBUB_FORGET_MS: '3600000', HUBBUB_TASK_LEASE_MS: '3600000', HUBBUB_ACCEPT_MS: '3600000',
  HUBBUB_FAMILY_RATES: '*=100000', HUBBUB_MESSAGE_RATE: '10000', HUBBUB_MESSAGE_BURST: '10000', HUBBUB_LOG_LEVEL: 'error',
}
const BATCH = 500

export interface StageOptions {
  /** Redis, a processor and so many workers, the first of which serves the pages. Absent: one hub in memory. */
  workers?: number
  env?: Record<string, string>
}

export interface Stage {
  /** Where the pages come from: the proxy. */
  readonly url: string
  readonly proxy: Proxy
  /** What the proxy leads to: the only hub, or a worker of the cluster. */
  hub: HubProcess
  readonly cluster?: Cluster
  /** A page of its own browser context, signed in as an operator unless told otherwise, and live. @param path of a route: `/tasks` */
  open(path?: string, opening?: Opening): Promise<Opened>
  /** Closes all that were opened since the last time. Answers what they complained of and nobody took out. */
  closePages(): Promise<string[]>
  /** In order. Answers the codes of those that were refused; `strict`, the default: throws if any was. */
  publish(events: readonly EventInput[], options?: { as?: string; strict?: boolean }): Promise<string[]>
  /** A request to the hub itself, past the proxy, as an operator unless told otherwise. Throws unless it is taken. */
  ask(path: string, asked?: Asked): Promise<Told>
  /** The state as a client of our own reads it, past the proxy. */
  entities<K extends Kind>(topics: string[], kind: K): Promise<EntityView<K>[]>
  close(): Promise<void>
}

/** An admin of every project, in project `default`. */
export function operator(): string {
  return token({ sub: 'operator', role: 'admin', projects: ['*'], project: 'default' })
}

export async function openStage({ workers, env }: StageOptions = {}): Promise<Stage> {
  if (!existsSync(resolve('dashboard/dist/index.html'))) throw new Error('the dashboard is not built: npm run build')
  const chromium = await startChromium()
  const environment = { ...ENVIRONMENT, ...env }
  const cluster = workers === undefined ? undefined : await startCluster({ workers, processors: 1, env: environment })
  const alone = cluster ? undefined : await startHub({ env: environment })
  const first = alone ?? cluster!.workers[0]!
  const proxy = await startProxy({ port: first.port })
  const url = `http://127.0.0.1:${proxy.port}`
  const pages: Opened[] = []
  const stage: Stage = {
    url,
    proxy,
    hub: first,
    ...(cluster && { cluster }),
    async open(path = '/', opening = {}) {
      const opened = await openPage(chromium.browser, url, path, { token: operator(), ...opening })
      pages.push(opened)
      return opened
    },
    async closePages() {
      const closing = pages.splice(0)
      const complaints = closing.flatMap((page) => page.complaints)
      for (const page of closing) await page.close()
      return complaints
    },
    async publish(events, { as = operator(), strict = true } = {}) {
      const refused: string[] = []
      for (let at = 0; at < events.length; at += BATCH) {
        const { body, text } = await ask(`${stage.hub.url}/api/v1/events`, { as, json: events.slice(at, at + BATCH) })
        const results = (body['results'] ?? []) as { ok: boolean; error?: { code: string; message: string } }[]
        if (!body.ok && results.length === 0) throw new Error(text.slice(0, 500))
        refused.push(...results.flatMap(({ error }, index) => (error ? [`${events[at + index]!.type}: ${error.code} ${error.message}`] : [])))
      }
      if (strict && refused.length > 0) throw new Error(`refused: ${refused.slice(0, 5).join('; ')}`)
      return refused
    },
    async ask(path, asked) {
      const told = await ask(`${stage.hub.url}${path}`, { as: operator(), ...asked })
      if (told.status >= 400) throw new Error(`${path}: ${told.status} ${told.text.slice(0, 300)}`)
      return told
    },
    async entities(topics, kind) {
      const client = connect(stage.hub.url, { token: operator() })
      try {
        const { entities } = await client.snapshot(topics)
        return entities.filter((entity) => entity.kind === kind) as never
      } finally {
        client.close()
      }
    },
    async close() {
      await chromium.close()
      await proxy.close()
      await alone?.stop()
      await cluster?.stop()
    },
  }
  return stage
}
