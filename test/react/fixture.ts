/** A hub, a proxy before it that can cut, and pages that talk to it through that. */
import type { EventInput } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { token, type Claims } from '../harness/token.js'
import { openStage, type Opened, type Stage } from './browser.js'

export interface Theatre {
  hub: HubProcess
  proxy: Proxy
  /** Opens a scene as somebody: an admin unless the claims say otherwise. Its topics are of this page alone unless they are given. */
  open(scene: string, settings?: { topic?: string; other?: string; as?: Claims; token?: string; markup?: string }): Promise<Opened & { topic: string; other: string }>
  /** Throws unless all are committed. */
  publish(...events: EventInput[]): Promise<void>
  /** Open connections at the hub, of everybody, and how many of these have a subscription. */
  connections(): Promise<{ total: number; active: number }>
  close(): Promise<void>
}

let scenes = 0

export async function openTheatre(): Promise<Theatre> {
  const stage: Stage = await openStage()
  const hub = await startHub({
    env: { HUBBUB_CORS_ORIGINS: stage.origin, HUBBUB_GRACE_MS: '500', HUBBUB_PRESENCE_MS: '50', HUBBUB_FAMILY_RATES: '*=100000', HUBBUB_MESSAGE_RATE: '10000', HUBBUB_LOG_LEVEL: 'error' },
  })
  const proxy = await startProxy({ port: hub.port })
  const url = `http://127.0.0.1:${proxy.port}`
  return {
    hub,
    proxy,
    async open(scene, { topic = `agent:page-${++scenes}`, other = `agent:other-${scenes}`, as, token: given, markup } = {}) {
      const opened = await stage.open(scene, { url, token: given ?? token(as), topic, other }, markup)
      return { ...opened, topic, other }
    },
    async publish(...events) {
      const { body, text } = await ask(`${hub.url}/api/v1/events`, { as: token(), json: events })
      const results = body['results'] as { ok: boolean }[] | undefined
      if (!body.ok || results?.some(({ ok }) => !ok)) throw new Error(text.slice(0, 500))
    },
    async connections() {
      const { body } = await ask(`${hub.url}/api/v1/websocket/status`, { as: token() })
      return { total: Number(body['total']), active: Number(body['active']) }
    },
    async close() {
      await stage.close()
      await proxy.close()
      await hub.stop()
    },
  }
}

/** Lines of the log of the agent whose topic it is. */
export function lines(topic: string, from: number, to: number): EventInput[] {
  const agentId = topic.slice('agent:'.length)
  return Array.from({ length: to - from + 1 }, (_, n) => ({ id: `${agentId}-${from + n}`, type: 'agent.log', data: { agentId, level: 'info', message: `line ${from + n}` } }))
}

export const idsOf = (events: EventInput[]): string[] => events.map(({ id }) => id!)

/** Waits for the text of an element. */
export async function shows({ page, text }: Opened, selector: string, wanted: string | RegExp): Promise<void> {
  let seen = ''
  const fits = async (): Promise<boolean> => {
    seen = await text(selector)
    return typeof wanted === 'string' ? seen === wanted : wanted.test(seen)
  }
  await eventually(fits).catch(async () => {
    throw new Error(`${selector} shows '${seen}', not ${String(wanted)}; the page: ${await page.$eval('body', (body) => body.innerHTML.slice(0, 2000))}`)
  })
}
