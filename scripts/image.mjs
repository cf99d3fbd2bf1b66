/**
 * `npm run image`: builds the container image as `Dockerfile` says, without a container engine (buildah), and tries it out as it is meant to be
 * run (podman): read-only, as nobody, without capabilities. Prints its size. Root, on Debian or Ubuntu.
 *
 *   --base IMAGE   an image with Node to build in, instead of the Dockerfile's
 *   --base local   one made of this machine's packages and its Node: where no image registry can be reached
 *   --tag NAME     hubbub unless told
 *   --archive FILE writes the image there, too, under the name that k8s/ asks for: for `kind load image-archive`, `k3s ctr images import`, `docker load`
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { tryImage } from './image-try.mjs'
import { bring, runs } from './package-manager.mjs'
import { giveUp, ROOT, step } from './step.mjs'

const LOCAL = 'localhost/hubbub-base'
const CERTIFICATES = '/etc/ssl/certs'
const { values } = parseArgs({ options: { base: { type: 'string' }, tag: { type: 'string', default: 'hubbub' }, archive: { type: 'string' } } })

for (const program of ['buildah', 'podman', 'runc']) {
  if (!runs(program, ['--version'])) await bring(program, { byHand: `Install ${program} (Debian and Ubuntu: apt-get install ${program}) and run the command again.` })
}
const work = mkdtempSync(join(tmpdir(), 'hubbub-image-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

const base = values.base === 'local' ? await localBase() : values.base
await must(`building ${values.tag}`, 'buildah', [
  // The health check is no part of the OCI format.
  'bud', '--format', 'docker', '--layers', '--isolation', 'chroot', '--network', 'host', ...certificates(),
  ...(base ? ['--build-arg', `BASE=${base}`] : []), '--secret', `id=npmrc,src=${npmrc()}`, '--build-arg', `VERSION=${version()}`, '--tag', values.tag, ROOT,
])
const packed = join(work, 'image.tar')
await must('packing it', 'buildah', ['push', '--quiet', values.tag, `oci-archive:${packed}`])
if (values.archive) {
  rmSync(values.archive, { force: true })
  // Not an OCI archive, whose names not everybody reads.
  await must(`writing ${values.archive}`, 'buildah', ['push', '--quiet', values.tag, `docker-archive:${values.archive}:${wholeName(values.tag)}`])
}
const [{ Size: unpacked }] = JSON.parse(output('podman', ['image', 'inspect', values.tag]))
await tryImage(values.tag)
console.log(`${values.tag}: ${mega(unpacked)} MB, ${mega(statSync(packed).size)} MB compressed; ran read-only, as 10001, without capabilities`)

/** `hubbub`, as a cluster understands an image of that name: with a version, and where it would come from. */
function wholeName(tag) {
  const versioned = /:[^/]+$/.test(tag) ? tag : `${tag}:${version()}`
  return versioned.includes('/') ? versioned : `docker.io/library/${versioned}`
}

/** Debian's essential packages with the Node and npm of this machine: what `node:*-slim` is, from the packages at hand. */
async function localBase() {
  if (runs('podman', ['image', 'exists', LOCAL])) return LOCAL
  if (!runs('mmdebstrap', ['--version'])) await bring('mmdebstrap', { byHand: 'Install mmdebstrap and run the command again.' })
  const tar = join(work, 'base.tar')
  // Without a mirror named it takes those that this machine has.
  await must('making a base of Debian packages', 'mmdebstrap', ['--variant=essential', '--include=libstdc++6,ca-certificates', codename(), tar])
  const container = output('buildah', ['from', 'scratch'])
  const npm = dirname(dirname(output('readlink', ['-f', output('which', ['npm'])])))
  const steps = [
    ['add', '--quiet', container, tar, '/'],
    ['copy', '--quiet', container, process.execPath, '/usr/bin/node'],
    ['copy', '--quiet', container, npm, '/usr/lib/node_modules/npm'],
    ['run', '--isolation', 'chroot', container, 'ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/bin/npm'],
    ['run', '--isolation', 'chroot', container, 'ln', '-s', '../lib/node_modules/npm/bin/npx-cli.js', '/usr/bin/npx'],
    ['commit', '--quiet', container, LOCAL],
    ['rm', container],
  ]
  for (const args of steps) output('buildah', args)
  return LOCAL
}

/** This machine's certificates for the time of the build: a proxy in between may have its own. They are in no layer. */
function certificates() {
  return existsSync(CERTIFICATES) ? ['--volume', `${CERTIFICATES}:${CERTIFICATES}:ro`] : []
}

/** What npm needs to reach the registry from within, as a secret: no layer keeps it. */
function npmrc() {
  const file = join(work, 'npmrc')
  const own = process.env.NPM_CONFIG_USERCONFIG ?? join(process.env.HOME ?? '/root', '.npmrc')
  const cafile = join(CERTIFICATES, 'ca-certificates.crt')
  writeFileSync(file, `${existsSync(own) ? readFileSync(own, 'utf8') : ''}\n${existsSync(cafile) ? `cafile=${cafile}\n` : ''}`, { mode: 0o600 })
  return file
}

function codename() {
  return /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? giveUp('--base local needs Debian or Ubuntu. Name an image with --base.')
}

function version() {
  return JSON.parse(readFileSync(join(ROOT, 'server/package.json'), 'utf8')).version
}

function output(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) giveUp(`${program} ${args.join(' ')} failed: ${stderr.trim().split('\n').at(-1)}`)
  return stdout.trim()
}

async function must(title, program, args) {
  const { ok, output: said } = await step(title, program, args)
  if (!ok) giveUp(`${title} failed:\n${said.trimEnd().split('\n').slice(-30).join('\n')}`)
}

function mega(bytes) {
  return (bytes / 1e6).toFixed(0)
}
