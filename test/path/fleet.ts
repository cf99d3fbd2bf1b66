/** A fleet of agents, each a real process that can be killed, and what their own logs say. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { leash } from '../harness/leash.js'
import { token } from '../harness/token.js'

const PROGRAM = resolve('test/path/fleetAgent.mjs')

export interface Sent {
  sent: string
  lease: string
  result: { by: string; pid: number; lease: string }
}

export class Fleet {
  private readonly folder = mkdtempSync(join(tmpdir(), 'hubbub-fleet-'))
  private readonly running = new Map<string, ChildProcess>()
  kills = 0

  /** @param urlOf the worker that an agent connects to */
  constructor(private readonly urlOf: (agent: string) => string) {}

  get ids(): string[] {
    return [...this.running.keys()]
  }

  /** Resolves when the agent is registered. */
  async start(id: string): Promise<void> {
    const env = { ...process.env, NODE_OPTIONS: '', FLEET_URL: this.urlOf(id), FLEET_TOKEN: token({ sub: id, role: 'agent' }), FLEET_LOG: this.logOf(id), FLEET_SKILL: `skill-${Number(id.slice(1)) % 3}` }
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    leash(child)
    this.running.set(id, child)
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  }

  /** SIGKILL, and a new process of the same agent, which knows nothing of what the old one did. */
  async replace(id: string): Promise<void> {
    this.kills++
    await this.kill(id)
    await this.start(id)
  }

  async stop(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.kill(id)))
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** What the agents say that they delivered, whether or not it arrived. */
  sent(): Sent[] {
    return [...this.running.keys()].flatMap((id) =>
      readFileSync(this.logOf(id), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{"sent"'))
        .map((line) => JSON.parse(line) as Sent),
    )
  }

  private async kill(id: string): Promise<void> {
    const child = this.running.get(id)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  private logOf(id: string): string {
    return join(this.folder, `${id}.log`)
  }
}
