/** Acts a case out on a hub by one driver, and says what was otherwise than told. */
import { compareOffsets, isAfter, parseCursor, type EventInput, type Since } from '@hubbub/protocol'
import { io, type Socket } from 'socket.io-client'
import { eventually } from '../harness/eventually.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'
import { Refused, type Connected, type Credentials, type Driver, type Heard } from './gateway.js'
import { HttpApi } from './drivers/http.js'
import type { Behind, Case, Person, Step, Wanted } from './steps.js'

const WAIT_MS = 8000

/** Ways into one hub; with several, a connection that was cut comes to another worker. */
export interface House {
  urls: readonly string[]
}

interface Actor {
  connected: Connected
  way?: { proxy: Proxy; at: number }
  /** Of what it heard, so much was said. */
  said: number
}

export async function perform(play: Case, driver: Driver, house: House, project: string): Promise<void> {
  const stage = new Stage(play, driver, house, project)
  try {
    for (const [place, step] of play.steps.entries()) {
      await stage.act(step).catch((error: unknown) => {
        throw new Error(`step ${place + 1} (${JSON.stringify(step).slice(0, 200)}): ${(error as Error).message}`, { cause: error })
      })
    }
    await stage.curtain()
  } finally {
    await stage.close()
  }
}

class Stage {
  private readonly actors = new Map<string, Actor>()
  private readonly sockets: Socket[] = []
  /** Asked for once: the event may be gone from the journal since. */
  private readonly cursors = new Map<string, string>()
  private readonly begunAt = Date.now()
  /** An admin of the project, by single requests: knows what stands in the journal. */
  private readonly clerk: HttpApi

  constructor(private readonly play: Case, private readonly driver: Driver, private readonly house: House, private readonly project: string) {
    this.clerk = new HttpApi(house.urls[0]!, { token: token({ sub: 'clerk', project }) })
  }

  async act(step: Step): Promise<void> {
    const acts = this.acts as Record<string, (step: Step) => Promise<void>>
    const doing = acts[step.step]!(step)
    if (!('refused' in step) || step.refused === undefined) return await doing
    const code = await doing.then(() => 'no refusal', (error: unknown) => {
      if (error instanceof Refused) return error.code
      throw error
    })
    expect(code).toBe(step.refused)
  }

  /** Nothing came that nobody spoke of. */
  async curtain(): Promise<void> {
    // Behind this answer stands whatever was on its way.
    await this.clerk.publish([{ id: 'curtain', type: 'custom.curtain', data: {}, topics: ['thread:curtain'] }])
    for (const [who, { connected, said }] of this.actors) {
      const ids = connected.heard.slice(said).map(({ id }) => id).filter((id) => id !== 'curtain')
      if (ids.length > 0) throw new Error(`${who} heard more than was told: ${ids.slice(0, 10).join(', ')}`)
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.disconnect()
    await Promise.all([...this.actors.values()].map(async ({ connected, way }) => {
      await connected.close()
      await way?.proxy.close()
    }))
  }

  private readonly acts: { [S in Step as S['step']]: (step: S) => Promise<void> } = {
    connect: async ({ who }) => void (await this.actor(who)),
    subscribe: async ({ who, request }) => (await this.actor(who)).connected.subscribe(await this.settled(request)),
    unsubscribe: async ({ who, topics }) => (await this.actor(who)).connected.unsubscribe(topics),
    publish: async ({ who, inputs, answers, ack }) => {
      const given = await (await this.actor(who)).connected.publish(inputs, ack)
      expect(given.map(({ refused, duplicate }) => ({ refused, duplicate }))).toEqual(answers.map(({ refused, duplicate }) => ({ refused, duplicate })))
      for (const [place, { type }] of answers.entries()) if (type !== undefined) expect(given[place]!.type).toBe(type)
    },
    together: async ({ writers, each, topic }) => {
      await Promise.all(writers.map(async (who) => {
        const { connected } = await this.actor(who)
        for (let from = 0; from < each; from += 5) {
          const inputs = Array.from({ length: Math.min(5, each - from) }, (_, place): EventInput => ({ id: `${who}${from + place}`, type: 'custom.note', data: {}, topics: [topic] }))
          expect((await connected.publish(inputs)).map(({ refused }) => refused)).toEqual(inputs.map(() => undefined))
        }
      }))
    },
    hears: async ({ who, ids, shown }) => {
      const actor = await this.actor(who)
      const from = actor.said
      actor.said += ids.length
      const told = () => actor.connected.heard.slice(from, actor.said)
      await eventually(() => told().length === ids.length, 'hearing', WAIT_MS).catch(() => undefined)
      expect(told().map(({ id }) => id)).toEqual(ids)
      if (shown) expect(told()[0]).toMatchObject(shown)
    },
    // Where a wire reads differing choices apart, each of them is in order.
    hearsSet: async ({ who, ids }) => {
      const actor = await this.actor(who)
      const told = () => actor.connected.heard.slice(actor.said).map(({ id }) => id)
      await eventually(() => told().length >= ids.length, 'hearing', WAIT_MS).catch(() => undefined)
      expect(told().sort()).toEqual([...ids].sort())
      actor.said += ids.length
    },
    hearsTypes: async ({ who, types }) => {
      const actor = await this.actor(who)
      const told = () => actor.connected.heard.slice(actor.said).map(({ type }) => type)
      await eventually(() => told().length >= types.length, 'hearing', WAIT_MS).catch(() => undefined)
      expect(told()).toEqual(types)
      actor.said += types.length
    },
    hearsLast: async ({ who, id }) => {
      const actor = await this.actor(who)
      await eventually(() => actor.connected.heard.at(-1)?.id === id, `${id} as the last; there are ${actor.connected.heard.map((one) => one.id).join(' ')}`, WAIT_MS)
      requireOrder(actor.connected.heard)
      actor.said = actor.connected.heard.length
    },
    hearsAlike: async ({ who, as, count }) => {
      const [one, other] = [await this.actor(who), await this.actor(as)]
      await eventually(() => [one, other].every(({ connected }) => connected.heard.length >= count), `${count} events`, WAIT_MS)
      for (const actor of [one, other]) {
        requireOrder(actor.connected.heard)
        actor.said = count
      }
      expect(one.connected.heard.map(({ id }) => id)).toEqual(other.connected.heard.map(({ id }) => id))
    },
    history: async ({ who, request, ids, gap, refused }) => {
      const { limit } = request
      const result = await (await this.actor(who)).connected.history({ ...(await this.settled(request)), ...(limit !== undefined && { limit }) })
      if (refused !== undefined) return
      expect(result.events.map(({ id }) => id)).toEqual(ids)
      expect(result.gap?.reason).toBe(gap)
      requireOrder(result.events)
    },
    snapshot: async ({ who, topics, entities, refused }) => {
      const found = await (await this.actor(who)).connected.snapshot(topics)
      if (refused === undefined) expect(found.map(({ kind, id }) => `${kind}:${id}`).sort()).toEqual([...entities!].sort())
    },
    handle: async ({ command, answer }) => {
      const socket = this.socket({ token: token({ sub: 'executor', role: 'service', project: this.project }) })
      socket.on('command', ({ payload }: { payload: unknown }, reply: (said: object) => void) => reply('echo' in answer ? { ok: true, result: payload } : answer))
      expect(await socket.timeout(WAIT_MS).emitWithAck('command.handle', { commands: [command] })).toMatchObject({ ok: true })
    },
    command: async ({ who, command, payload, result, refused }) => {
      const given = await (await this.actor(who)).connected.command(command, payload)
      if (refused === undefined) expect(given).toEqual(result)
    },
    signal: async ({ who, topic, name, data, refused }) => {
      const { connected } = await this.actor(who)
      if (refused !== undefined) return await connected.signal(topic, name, data)
      const watcher = this.socket({ token: token({ sub: 'watcher', project: this.project }) })
      await watcher.timeout(WAIT_MS).emitWithAck('subscribe', { topics: [topic] })
      const told = new Promise<unknown>((resolve) => watcher.once('signal', resolve))
      await connected.signal(topic, name, data)
      expect(await told).toMatchObject({ topic, name, data })
    },
    cut: async ({ who }) => {
      const { way } = await this.actor(who)
      way!.at = (way!.at + 1) % this.house.urls.length
      way!.proxy.retarget(portOf(this.house.urls[way!.at]!))
      way!.proxy.cut('reset')
    },
    forgotten: async ({ id }) => {
      const since = await this.cursorBehind(id)
      const fill = () => this.clerk.publish(Array.from({ length: 60 }, () => ({ type: 'custom.filler', data: {}, topics: ['thread:filler'] })))
      await eventually(async () => {
        await fill()
        return (await this.clerk.history({ topics: ['thread:filler'], since, limit: 1 })).gap
      }, 'trimming', WAIT_MS, 50)
      // And so many more that no worker's window reaches back to it.
      for (let more = 0; more < 4; more++) await fill()
    },
    gap: async ({ who, reason }) => {
      const { connected } = await this.actor(who)
      await eventually(() => connected.gaps.length > 0, 'a gap', WAIT_MS)
      expect(connected.gaps.map((told) => told.reason)).toEqual([reason])
      const { from, to } = connected.gaps[0]!
      expect(isAfter(parseCursor(to)!.offset, parseCursor(from)!.offset)).toBe(true)
    },
    complaint: async ({ who, code }) => {
      const { connected } = await this.actor(who)
      await eventually(() => connected.complaints.includes(code), `${code}; there are ${connected.complaints.join(' ')}`, WAIT_MS)
    },
  }

  private async actor(who: string): Promise<Actor> {
    const known = this.actors.get(who)
    if (known) return known
    const isCut = this.play.steps.some((step) => step.step === 'cut' && step.who === who)
    const way = isCut ? { proxy: await startProxy({ port: portOf(this.house.urls[0]!) }), at: 0 } : undefined
    try {
      const connected = await this.driver.connect(way ? `http://127.0.0.1:${way.proxy.port}` : this.urlOf(who), this.credentialsOf(this.play.people?.[who] ?? {}, who))
      const actor = { connected, way, said: 0 }
      this.actors.set(who, actor)
      return actor
    } catch (error) {
      await way?.proxy.close()
      throw error
    }
  }

  /** People are spread over the workers. */
  private urlOf(who: string): string {
    const { urls } = this.house
    return urls[who.length % urls.length]!
  }

  private credentialsOf({ asks = {}, credential, endsAfterMs, ...claims }: Person, who: string): Credentials {
    if (credential === 'none') return { ...asks }
    if (credential === 'garbage') return { ...asks, token: 'not.a.token' }
    const project = claims.projects ? {} : { project: this.project }
    const exp = endsAfterMs === undefined ? {} : { exp: Math.ceil((this.begunAt + endsAfterMs) / 1000) }
    const signed = token({ sub: who, role: 'service', ...project, ...exp, ...replaced(claims, this.project) }, credential === 'forged' ? 'another secret, longer than 32 characters' : undefined)
    return { token: signed, ...replaced(asks, this.project) }
  }

  private socket(auth: { token: string }): Socket {
    const socket = io(this.house.urls[0], { auth, transports: ['websocket'], forceNew: true })
    this.sockets.push(socket)
    return socket
  }

  private async settled({ since, limit: _limit, ...rest }: Wanted & { limit?: number }): Promise<Omit<Wanted, 'since'> & { since?: Since }> {
    if (since === undefined) return rest
    return { ...rest, since: isBehind(since) ? await this.cursorBehind(since.behind) : since }
  }

  private async cursorBehind(id: string): Promise<string> {
    const known = this.cursors.get(id)
    if (known !== undefined) return known
    const cursor = await this.findCursor(id)
    this.cursors.set(id, cursor)
    return cursor
  }

  private async findCursor(id: string): Promise<string> {
    for (const { connected } of this.actors.values()) {
      const heard = connected.heard.find((one) => one.id === id)
      if (heard) return heard.cursor
    }
    return await eventually(async () => (await this.clerk.history({ topics: ['*'], since: 'all', limit: 1000 })).events.find((one) => one.id === id)?.cursor, `the cursor of ${id}`, WAIT_MS)
  }
}

/** `$` in claims stands for the case's project. */
function replaced<T extends object>(claims: T, project: string): T {
  return JSON.parse(JSON.stringify(claims).replaceAll('$', project)) as T
}

function isBehind(since: Since | Behind): since is Behind {
  return typeof since === 'object' && 'behind' in since
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

/** Each later than the one before (I1), so none twice (I2). */
function requireOrder(heard: readonly Heard[]): void {
  for (const [place, { id, cursor }] of heard.entries()) {
    const before = heard[place - 1]
    const offset = (text: string) => parseCursor(text)!.offset
    if (before && compareOffsets(offset(before.cursor), offset(cursor)) >= 0) throw new Error(`${id} at ${cursor} came behind ${before.id} at ${before.cursor}`)
  }
}
