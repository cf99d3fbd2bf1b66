/** A nats-server of this run's own: core publish, no durability, WebSockets without TLS. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ended, freePort } from '../ground/processes.js'

/** Where the start script found it; none: there is none on this machine. */
export const NATS = process.env['HUBBUB_NATS']

export interface NatsServer {
  pid: number
  port: number
  wsPort: number
  stop(): Promise<void>
}

export async function startNats(): Promise<NatsServer> {
  const [port, wsPort] = [await freePort(), await freePort()]
  const folder = await mkdtemp(join(tmpdir(), 'bench-nats-'))
  const file = join(folder, 'nats.conf')
  await writeFile(file, `listen: "127.0.0.1:${port}"\nwebsocket { listen: "127.0.0.1:${wsPort}", no_tls: true }\nmax_pending: 256MB\nwrite_deadline: "60s"\n`)
  const child = spawn(NATS ?? 'nats-server', ['-c', file], { stdio: 'ignore' })
  const missing = new Promise<never>((_, reject) => child.once('error', (error) => reject(new Error('nats-server could not be started; is it installed?', { cause: error }))))
  for (let tries = 0; !(await Promise.race([missing, isListening(wsPort)])); tries++) {
    if (tries > 100) throw new Error('nats-server did not come up')
    await pause(50)
  }
  return {
    pid: child.pid!, port, wsPort,
    stop: async () => {
      await ended(child, 'SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true)))
    socket.on('error', () => resolve(false))
  })
}
