/**
 * `hubbub up --workers N`: one machine, many cores. The primary has the port and no hub; it hands connections out and sees
 * to its processes, N workers and the processors, each a hub of its own that shares rooms, sessions and journal through Redis.
 */
import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../observe/log.js'
import { SettingError } from '../../settings/read.js'
import type { Settings } from '../../settings/table.js'
import { note, plain } from '../print.js'
import type { SeatRole } from './messages.js'
import { endInWords, Occupant, type End } from './occupant.js'
import { openOperator } from './operator.js'
import { Reload } from './reload.js'
import { HOPELESS } from './restarts.js'
import { Rotation } from './rotation.js'
import { Seat } from './seat.js'

export interface MachineParts {
  settings: Settings
  log: Logger
  /** Resolves when the machine is to stop in order. */
  stop: Promise<void>
  /** Once, when every process is ready. */
  onReady: (machine: MachineReady) => void
}

export interface MachineReady {
  url: string
  /** Where /metrics and /health/ready speak for all processes, if anywhere. */
  operator?: string
  /** Process ids. */
  workers: number[]
  processors: number[]
}

/** Why there is no sense in going on, for people; a setting has its own exit code. */
interface Trouble {
  line: string
  isSetting: boolean
}

/** Beyond HUBBUB_DRAIN_MS a process is not waited for longer than this, ms. */
const GRACE_MS = 2000
/** Processors go when the workers are gone, for these wait for commits; at the latest after this share of the time. */
const WORKERS_SHARE = 0.8

/** Runs until it is stopped; answers the exit code. Throws SettingError, and whatever keeps the port from being had. `second` ends all at once. */
export async function runMachine(parts: MachineParts, second: (kill: () => void) => void): Promise<number> {
  const { settings, log } = parts
  cluster.setupPrimary({ serialization: 'advanced' })
  const lanes = join(tmpdir(), `hubbub-${randomBytes(9).toString('base64url')}`)
  const machine = new Machine(parts, lanes)
  second(() => {
    machine.kill()
    rmSync(lanes, { recursive: true, force: true })
  })
  const onHangup = () => machine.hangUp()
  process.on('SIGHUP', onHangup)
  try {
    const url = await machine.rotation.listen(settings.host, settings.port)
    const operator = settings.adminPort === 0 ? undefined : await openOperator(settings.adminHost, settings.adminPort, machine.seats)
    machine.start(() => parts.onReady({ url, operator: operator?.url, workers: machine.pids('worker'), processors: machine.pids('processor') }))
    const trouble = await Promise.race([parts.stop.then(() => undefined), machine.hopeless])
    operator?.close()
    const inOrder = await machine.stop(settings.drainMs)
    if (trouble?.isSetting) throw new SettingError(trouble.line)
    if (trouble) note(`hubbub up: ${plain(trouble.line)}`)
    else if (!inOrder) log.error(`not every process stopped in order within HUBBUB_DRAIN_MS (${settings.drainMs} ms)`)
    return inOrder && !trouble ? 0 : 1
  } finally {
    process.off('SIGHUP', onHangup)
    machine.rotation.close()
    await rm(lanes, { recursive: true, force: true })
  }
}

class Machine {
  readonly seats: Seat[]
  readonly rotation = new Rotation(() => this.serving())
  private readonly reload: Reload
  /** Resolves with the reason when there is no sense in going on. */
  readonly hopeless: Promise<Trouble>
  private giveUp!: (reason: Trouble) => void
  private wasReady = false

  constructor(private readonly parts: MachineParts, private readonly lanes: string) {
    const { settings, log } = parts
    this.hopeless = new Promise((resolve) => (this.giveUp = resolve))
    this.seats = [...this.openSeats('worker', settings.workers), ...this.openSeats('processor', settings.role === 'all' ? settings.processors : 0)]
    this.reload = new Reload(this.seats, log)
  }

  /** `onReady` is called once, when every seat was filled by somebody who is ready. */
  start(onReady: () => void): void {
    this.onFilled = () => {
      if (this.wasReady || this.seats.some(({ serving }) => !serving)) return
      this.wasReady = true
      onReady()
    }
    for (const seat of this.seats) seat.fill()
  }

  pids(role: SeatRole): number[] {
    return this.seats.flatMap((seat) => (seat.role === role && seat.serving ? [seat.serving.pid] : []))
  }

  /** Whether all did so in order. */
  async stop(drainMs: number): Promise<boolean> {
    // As a process that listens itself: for the time that a balancer needs to notice, those that are told to stop still take what comes.
    setTimeout(() => this.rotation.close(), this.parts.settings.drainNoticeMs).unref()
    this.reload.close()
    const until = Date.now() + drainMs + GRACE_MS
    const stop = (role: SeatRole) => Promise.all(this.seats.filter((seat) => seat.role === role).map((seat) => seat.stop(until - Date.now())))
    const workers = stop('worker')
    await Promise.race([workers, delay(drainMs * WORKERS_SHARE, undefined, { ref: false })])
    return [...(await stop('processor')), ...(await workers)].every(Boolean)
  }

  /** SIGHUP. While it starts there is nothing to replace. */
  hangUp(): void {
    if (this.wasReady) this.reload.request()
  }

  kill(): void {
    for (const seat of this.seats) seat.kill()
  }

  private onFilled = (): void => undefined

  private serving(): Occupant[] {
    return this.seats.flatMap(({ role, serving }) => (role === 'worker' && serving ? [serving] : []))
  }

  private openSeats(role: SeatRole, count: number): Seat[] {
    const { settings, log } = this.parts
    const base = settings.nodeId || `${hostname()}-${process.pid}`
    const berth = (seat: Seat, turn: number) => ({ role, node: `${base}-${seat.name}${turn === 1 ? '' : `.${turn}`}`, lanes: this.lanes })
    return Array.from({ length: count }, (_, place) => {
      return new Seat(`${role[0]}${place + 1}`, role, {
        start: (seat, turn) => new Occupant(berth(seat, turn), (to, first, socket) => this.rotation.carry(to, first, socket, this.seats.flatMap(({ all }) => all))),
        ready: () => this.onFilled(),
        failed: (seat, end, isHopeless) => this.failed(seat, end, isHopeless),
        startMs: settings.startMs,
        stopMs: settings.drainMs + GRACE_MS,
        log,
      })
    })
  }

  /**
   * A wrong setting ends the machine before it ran at once, and later when it is still wrong at the last try. Other failures
   * do so only where nobody of the role is left: one process that does not come up is no reason to end those that serve.
   */
  private failed(seat: Seat, end: End, isHopeless: boolean): boolean {
    const isSetting = end.code === 2 && end.line !== undefined
    const isAlone = !this.seats.some(({ role, serving }) => role === seat.role && serving)
    if (isSetting ? this.wasReady && !isHopeless : !isHopeless || !isAlone) return false
    const line = endInWords(end)
    this.giveUp({ isSetting, line: isSetting ? line : `${seat.name} ended ${HOPELESS} times in a row before it was ready: ${line}` })
    return true
  }
}
