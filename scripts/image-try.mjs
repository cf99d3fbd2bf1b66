/** Runs an image as Kubernetes' `restricted` would have it, and holds it to what a hub promises from outside. */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { giveUp, say } from './step.mjs'

/** cgroupfs: there need be no systemd. The limits as they are: raising them is a capability. */
const PODMAN = ['--runtime', 'runc', '--cgroup-manager', 'cgroupfs']
const BOUNDS = ['--network', 'host', '--read-only', '--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', '--log-driver', 'k8s-file']
const START_MS = 60_000
const STOP_S = 30

/** Ends the process with one line on the first thing that is not as it must be. */
export async function tryImage(image) {
  refusesWrongSettings(image)
  const port = await freePort()
  const name = `hubbub-try-${process.pid}`
  try {
    podman(['run', '--detach', '--name', name, ...BOUNDS, '--env', `HUBBUB_PORT=${port}`, '--env', `HUBBUB_JWT_SECRET=${'for this try only, then gone '.repeat(2)}`, image])
    await ready(name, port)
    const token = podman(['exec', name, '/usr/bin/node', '/app/server/bin/hubbub.mjs', 'token', '--sub', 'try', '--role', 'admin'])
    await carries(`http://127.0.0.1:${port}`, token)
    expect(podman(['exec', name, '/usr/bin/node', '-p', 'process.getuid()']) === '10001', 'it runs as 10001')
    expect(podman(['exec', name, '/usr/bin/node', '-p', 'try { fs.writeFileSync("/app/x", ""); "written" } catch (error) { error.code }']) === 'EROFS', 'its root is read-only')
    podman(['healthcheck', 'run', name])
    holdsWorkersTogether(image)
    podman(['stop', '--time', String(STOP_S), name])
    expect(podman(['inspect', name, '--format', '{{.State.ExitCode}}']) === '0', 'SIGTERM ends it in order, exit 0')
  } finally {
    spawnSync('podman', [...PODMAN, 'rm', '--force', name], { stdio: 'ignore' })
  }
  say(`${image}: ready, carried an event, healthy, stopped in order`)
}

function refusesWrongSettings(image) {
  const { status, stderr } = spawnSync('podman', [...PODMAN, 'run', '--rm', '--no-healthcheck', ...BOUNDS, '--env', 'HUBBUB_PORT=http', image], { encoding: 'utf8' })
  const lines = stderr.trim().split('\n')
  expect(status === 2 && lines.length === 1 && lines[0].startsWith('hubbub: HUBBUB_PORT'), `a wrong setting ends it with one line and exit 2, not ${status}: ${stderr}`)
}

/** Several workers in one container pass sockets on through a folder of their own. */
function holdsWorkersTogether(image) {
  const made = podman(['run', '--rm', '--no-healthcheck', ...BOUNDS, '--tmpfs', '/tmp', '--entrypoint', '/usr/bin/node', image, '-p', 'try { fs.mkdtempSync("/tmp/hubbub-"); "made" } catch (error) { error.code }'])
  expect(made === 'made', `it may write to a /tmp of its own: ${made}`)
}

async function ready(name, port) {
  const until = Date.now() + START_MS
  while (!(await fetch(`http://127.0.0.1:${port}/health/ready`).then((answer) => answer.ok, () => false))) {
    if (Date.now() > until) giveUp(`it was not ready within ${START_MS / 1000} s:\n${podman(['logs', name])}`)
    await pause(200)
  }
}

async function carries(url, token) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const text = `hello from ${process.pid}`
  const published = await fetch(`${url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify({ type: 'custom.hello', topics: ['project'], data: { text } }) })
  expect(published.ok, `it takes an event, and answered ${published.status}`)
  const history = await (await fetch(`${url}/api/v1/history?topics=project&since=all`, { headers })).text()
  expect(history.includes(text), `it tells the event again: ${history.slice(0, 300)}`)
}

function expect(holds, what) {
  if (!holds) giveUp(`the image is not as it must be: ${what}`)
}

function podman(args) {
  const { status, stdout, stderr } = spawnSync('podman', [...PODMAN, ...args], { encoding: 'utf8' })
  if (status !== 0) giveUp(`podman ${args.join(' ')} failed: ${stderr.trim()}`)
  return stdout.trim()
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
