/** The twelve agents together: they sign on, one of them dies and comes back, and at the end all go home. */
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { enter } from './agent.mjs'
import { CAST } from './cast.mjs'

const PROGRAM = fileURLToPath(new URL('agent-process.mjs', import.meta.url))
/** For what is in hand at the end; ms. */
const LEAVE_MS = 2000

/** `works` emits `begun`. @typedef {{ child: import('node:child_process').ChildProcess, works: EventEmitter & { tasks: number }, ended: Promise<unknown> }} Apart */

export class Fleet {
  /** @type {Map<string, ReturnType<typeof enter>>} */
  #here = new Map()
  /** @type {Map<string, Apart>} */
  #apart = new Map()

  /** @param {{ keys: ReadonlyMap<string, string> } & Omit<import('./agent.mjs').Entrance, 'apiKey'>} entrance */
  constructor(entrance) {
    this.entrance = entrance
  }

  /** Resolves when all are registered. Rejects with the hub's refusal. */
  async signOn() {
    for (const role of CAST) {
      if (this.#here.has(role.id) || this.#apart.has(role.id)) continue
      if (role.apart) await this.#start(role)
      else await this.#enter(role)
    }
  }

  /** Kills the agent's process as soon as it works on something: no farewell, and its socket just ends. */
  async crash(/** @type {string} */ id, /** @type {AbortSignal} */ signal) {
    const apart = this.#apart.get(id)
    if (!apart) return
    // Between two tasks nothing would be lost.
    if (apart.works.tasks === 0) await Promise.race([once(apart.works, 'begun'), once(signal, 'abort')])
    apart.child.kill('SIGKILL')
    await apart.ended
  }

  async comeBack(/** @type {string} */ id) {
    const role = CAST.find((one) => one.id === id)
    if (role && !this.#apart.has(id)) await this.#start(role, true)
  }

  /** Signed on, and not known to have died. */
  get size() {
    return this.#here.size + this.#apart.size
  }

  /** Deliveries of GitHub that agents caused; those of a process apart are not counted. */
  get delivered() {
    return [...this.#here.values()].reduce((sum, { github }) => sum + github.sent, 0)
  }

  /** In order: nothing new, a moment for what is in hand. Never rejects. */
  async leave() {
    const apart = [...this.#apart.values()].map(({ child, ended }) => {
      child.stdin?.end()
      const late = setTimeout(() => child.kill('SIGKILL'), 2 * LEAVE_MS)
      return ended.then(() => clearTimeout(late))
    })
    await Promise.all([...apart, ...[...this.#here.values()].map(({ agent }) => agent.drain({ timeoutMs: LEAVE_MS }))])
    this.#here.clear()
  }

  /** @param {import('./cast.mjs').Role} role */
  async #enter(role) {
    const present = enter(role, { ...this.entrance, apiKey: this.#keyOf(role.id) })
    this.#here.set(role.id, present)
    await present.agent.ready()
  }

  /** @param {import('./cast.mjs').Role} role */
  async #start(role, isBack = false) {
    const { url, githubSecret, seed, clock, refused } = this.entrance
    // In a group of its own: the terminal's Ctrl-C is for us, who end it in order. Its arguments are for whoever looks at `ps`.
    const child = spawn(process.execPath, [PROGRAM, role.id, url], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
    const ended = once(child, 'exit')
    child.stdin.on('error', () => undefined)
    child.stdin.write(`${JSON.stringify({ role, speed: clock.speed, url, apiKey: this.#keyOf(role.id), githubSecret, seed, isBack })}\n`)
    const works = Object.assign(new EventEmitter(), { tasks: 0 })
    const apart = { child, ended, works }
    this.#apart.set(role.id, apart)
    void ended.then(() => this.#apart.get(role.id) === apart && this.#apart.delete(role.id))
    await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const said = /** @type {{ ready?: string, working?: number, refused?: unknown, intended?: boolean }} */ (JSON.parse(line))
        if (said.ready) resolve(undefined)
        works.tasks = said.working ?? works.tasks
        if (said.working) works.emit('begun')
        if (said.refused) refused(said.refused, said.intended === true)
      })
      void ended.then(() => reject(new Error(`${role.id} ended before it was registered`)))
    })
  }

  #keyOf(/** @type {string} */ id) {
    return this.entrance.keys.get(id) ?? ''
  }
}
