/**
 * The small Redis as its pod runs it: the script that makes its users, its settings and its arguments are taken out of the rendered manifests
 * and run here, in a folder instead of the pod's.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { eventually } from '../harness/eventually.js'
import { ended, leash } from '../harness/leash.js'
import { freePort } from '../harness/port.js'
import { isWorkload, parse, render, type Container, type Manifest } from './manifests.js'

const PASSWORD = 'aPasswordOfLettersAnd123'
const objects = parse(render('k8s/overlays/dev'))
const { spec: pod } = objects.filter(isWorkload).find(({ kind }) => kind === 'StatefulSet')!.spec.template

let folder: string
let port: number
let redis: ChildProcess | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubbub-small-redis-'))
  port = await freePort()
  await mkdir(join(folder, 'data'))
  await mkdir(join(folder, 'settings'))
  const files = objects.find((object): object is Manifest => object.kind === 'ConfigMap' && object.metadata.name.startsWith('hubbub-redis-'))!.data!
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'settings', name), text)
  await makeUsers()
  redis = await start()
})

afterAll(async () => {
  await stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

test('the users\' file has the password\'s hash for the hub, nobody else can log in, and only Redis can read it', async () => {
  const text = await readFile(join(folder, 'data/users.acl'), 'utf8')
  const users = text.trim().split('\n').map((line) => line.split(' '))
  expect(users.filter((words) => words.includes('on')).map(([, name]) => name)).toEqual(['hubbub'])
  expect(text).not.toContain(PASSWORD)
  expect((await stat(join(folder, 'data/users.acl'))).mode & 0o077).toBe(0)
  await expect(connect('hubbub', 'wrong')).rejects.toThrow('WRONGPASS')
  for (const name of ['default', 'hubbub-writer', 'hubbub-monitor']) await expect(connect(name, PASSWORD)).rejects.toThrow('WRONGPASS')
  const nobody = createClient({ socket: { port, reconnectStrategy: false } })
  nobody.on('error', () => {})
  await expect(nobody.connect().then(() => nobody.ping())).rejects.toThrow('NOAUTH')
  nobody.destroy()
})

test('what was committed is there again after a restart (I3): Redis may load its own file', async () => {
  const before = await connect('hubbub', PASSWORD)
  // As a commit stands in the append-only file: a script's writes between MULTI and EXEC.
  await before.eval('redis.call("XADD", KEYS[1], "1-1", "event", "x") redis.call("SET", KEYS[2], "1")', { keys: ['hubbub:{p0}:journal', 'hubbub:{p0}:position'] })
  before.destroy()
  await stop('SIGTERM')
  await makeUsers()
  redis = await start()
  const after = await connect('hubbub', PASSWORD)
  expect(await after.xLen('hubbub:{p0}:journal')).toBe(1)
  expect(await after.get('hubbub:{p0}:position')).toBe('1')
  after.destroy()
})

test('it refuses writes when it is full, as the hub wants it, within half of its pod\'s memory', async () => {
  const client = await connect('hubbub', PASSWORD)
  const memory = await client.info('memory')
  expect(memory).toContain('maxmemory_policy:noeviction')
  expect(memory).toContain(`maxmemory:${512 * 1024 ** 2}`)
  expect(pod.containers[0]!.resources!.limits!['memory']).toBe('1Gi')
  client.destroy()
})

test('its probes succeed, and fail with another password', async () => {
  const { command } = pod.containers[0]!.readinessProbe!.exec!
  const ask = (password: string) => run(command, { REDISCLI_AUTH: password })
  await expect(ask(PASSWORD)).resolves.toBeDefined()
  await expect(ask('wrong')).rejects.toThrow('Command failed')
})

async function makeUsers(): Promise<void> {
  const users = pod.initContainers!.find(({ name }) => name === 'users')!
  await run(users.command!, { REDIS_PASSWORD: PASSWORD })
}

async function start(): Promise<ChildProcess> {
  const [program, ...args] = here(pod.containers[0]!)
  const child = spawn(program!, args, { stdio: 'ignore' })
  leash(child)
  await eventually(() => connect('hubbub', PASSWORD).then((client) => (client.destroy(), true)), 'a Redis that lets the hub in', 20_000)
  return child
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (!redis) return
  const gone = ended(redis)
  redis.kill(signal)
  await gone
}

async function connect(username: string, password: string) {
  const client = createClient({ username, password, socket: { port, reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function run([program, ...args]: string[], env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(program!, args.map(moved), { env: { PATH: process.env['PATH'] ?? '', ...env } })
  return stdout
}

/** The pod's own arguments, on a free port of this machine alone and in our folder. */
function here({ command = [] }: Container): string[] {
  return command.filter((word) => word !== '-::*').map((word, place) => (command[place - 1] === '--port' ? String(port) : command[place - 1] === '--bind' ? '127.0.0.1' : moved(word)))
}

function moved(text: string): string {
  return text.replaceAll('/etc/hubbub-redis', join(folder, 'settings')).replaceAll('/data', join(folder, 'data')).replaceAll('redis-cli ', `redis-cli -p ${port} `)
}
