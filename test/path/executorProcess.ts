/** An executor as a process of its own, with nothing of ours in it: it takes commands, says so, and never answers. */
import { spawn } from 'node:child_process'
import { eventually } from '../harness/eventually.js'
import { ended, leash } from '../harness/leash.js'

const PROGRAM = `
import { io } from 'socket.io-client'
const [url, token, command] = process.argv.slice(1)
const socket = io(url, { auth: { token }, transports: ['websocket'] })
socket.on('command', (call) => console.log('took ' + call.commandId))
socket.on('connect', async () => {
  const answer = await socket.emitWithAck('command.handle', { commands: [command] })
  console.log(answer.ok ? 'ready' : JSON.stringify(answer))
})
`

export interface ExecutorProcess {
  /** Ids of the commands that it was asked. */
  taken(): string[]
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** Resolves when it is an executor of the command. */
export async function startExecutor(url: string, token: string, command: string): Promise<ExecutorProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, url, token, command], { stdio: ['ignore', 'pipe', 'inherit'] })
  leash(child)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const executor: ExecutorProcess = {
    taken: () => [...output.matchAll(/^took (.+)$/gm)].map(([, id]) => id!),
    async kill() {
      child.kill('SIGKILL')
      await ended(child)
    },
  }
  await eventually(() => /^ready$/m.test(output), `an executor; it says: ${output}`, 15_000)
  return executor
}
