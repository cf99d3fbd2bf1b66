/** The Python SDK, in one process for all its connections: `python_driver.py`. */
import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { EventInput, Gap, HistoryRequest, HubEvent, SubscribeRequest } from '@hubbub/protocol'
import { ended, leash } from '../../harness/leash.js'
import { type Connected, type Credentials, type Driver, type Heard, Log, Logged, type Published, Refused } from '../gateway.js'

type Line = { n?: number; result?: unknown; refused?: string; message?: string; fault?: string; who?: number; event?: HubEvent; cursor?: string; gap?: Gap; complaint?: string }

export class PythonDriver implements Driver {
  readonly name = 'Python SDK'
  private process?: PythonProcess

  /** @param program of a Python that has the package and what it needs */
  constructor(private readonly program: string) {}

  async connect(url: string, { token, project }: Credentials): Promise<Connected> {
    this.process ??= new PythonProcess(this.program)
    return await this.process.connect(url, { token, project })
  }

  async close(): Promise<void> {
    await this.process?.close()
    this.process = undefined
  }
}

class PythonProcess {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, (line: Line) => void>()
  private readonly logs = new Map<number, Log>()
  private said = ''
  private count = 0
  private over?: string

  constructor(program: string) {
    this.child = spawn(program, [resolve('test/conformance/drivers/python_driver.py')], { env: { ...process.env, PYTHONPATH: resolve('client-sdk/python/src') }, stdio: ['pipe', 'pipe', 'pipe'] })
    leash(this.child)
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.said = (this.said + text).slice(-10_000)))
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.take(JSON.parse(line) as Line))
    this.child.stdin!.on('error', () => undefined)
    this.child.once('exit', (code) => {
      this.over = `the Python process ended with ${code}: ${this.said}`
      for (const settle of this.waiting.values()) settle({ fault: this.over })
    })
  }

  async connect(url: string, credentials: object): Promise<Connected> {
    const who = ++this.count
    const log = new Log()
    this.logs.set(who, log)
    await this.call(who, 'connect', { url, ...credentials })
    return new PythonConnection(log, (name, input) => this.call(who, name, input))
  }

  async close(): Promise<void> {
    this.child.stdin!.end()
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), 5000)
    await ended(this.child)
    clearTimeout(impatience)
  }

  call(who: number, call: string, input: object): Promise<unknown> {
    const n = ++this.count
    if (this.over !== undefined) return Promise.reject(new Error(this.over))
    return new Promise((answered, failed) => {
      this.waiting.set(n, ({ result, refused, message, fault }) => {
        this.waiting.delete(n)
        if (refused !== undefined) failed(new Refused(refused, message))
        else if (fault !== undefined) failed(new Error(fault))
        else answered(result)
      })
      this.child.stdin!.write(`${JSON.stringify({ n, who, call, with: input })}\n`)
    })
  }

  private take(line: Line): void {
    if (line.n !== undefined) return this.waiting.get(line.n)?.(line)
    const log = this.logs.get(line.who!)!
    if (line.event) log.event(line.event, line.cursor!)
    if (line.gap) log.gap(line.gap)
    if (line.complaint !== undefined) log.complaints.push(line.complaint)
  }
}

class PythonConnection extends Logged implements Connected {
  constructor(log: Log, private readonly call: (name: string, input: object) => Promise<unknown>) {
    super(log)
  }

  async subscribe({ snapshot: _none, ...request }: SubscribeRequest): Promise<void> {
    await this.call('subscribe', request)
  }

  async unsubscribe(topics: string[]): Promise<void> {
    await this.call('unsubscribe', { topics })
  }

  async publish(inputs: EventInput[], ack?: 'accepted'): Promise<Published[]> {
    return (await this.call('publish', { inputs, ...(ack && { ack }) })) as Published[]
  }

  command(command: string, payload?: unknown): Promise<unknown> {
    return this.call('command', { command, payload })
  }

  async snapshot(topics: string[]) {
    return (await this.call('snapshot', { topics })) as { kind: string; id: string }[]
  }

  async history({ wait: _none, ...request }: HistoryRequest) {
    return (await this.call('history', request)) as { events: Heard[]; gap?: Gap }
  }

  async signal(topic: string, name: string, data?: unknown): Promise<void> {
    await this.call('signal', { topic, name, data })
  }

  async close(): Promise<void> {
    await this.call('close', {})
  }
}
