/**
 * Strict schemas: a field that does not exist is refused, as an API server does with `--validate=strict`. Kubernetes' own objects by the
 * schemas of its releases (`scripts/kubernetes.mjs` brings them), the others by `extensions.ts`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import Ajv from 'ajv/dist/2020.js'
import { EXTENSIONS } from './extensions.js'
import { titleOf, type Manifest } from './manifests.js'

/** The oldest release with `preStop.sleep`, one between, and the newest that the schemas have. */
export const RELEASES = ['1.30', '1.34', '1.37'] as const
export type Release = (typeof RELEASES)[number]

type Schema = Record<string, unknown> & { $id: string }

const readers = new Map<Release, (object: Manifest) => string[]>()

/** What the schemas of a release refuse, as `Kind name: path: reason`. */
export function misshapen(objects: readonly Manifest[], release: Release): string[] {
  const reader = readers.get(release) ?? readerOf(release)
  readers.set(release, reader)
  return objects.flatMap((object) => reader(object).map((reason) => `${titleOf(object)}: ${reason}`))
}

function readerOf(release: Release): (object: Manifest) => string[] {
  const folder = join(schemasFolder(), `v${release}.0-local-strict`)
  // Lengths and values count; Kubernetes' own format words (`int32`) say nothing that the types do not.
  const ajv = new Ajv.default({ strict: false, allErrors: true, validateFormats: false, logger: false })
  ajv.addSchema(schemaOf(join(folder, '_definitions.json')))
  return (object) => {
    const extension = EXTENSIONS[`${object.apiVersion} ${object.kind}`]
    const file = join(folder, `${object.kind.toLowerCase()}-${object.apiVersion.replace(/^([^./]*)(?:\.[^/]*)?\//, '$1-')}.json`)
    if (!extension && !existsSync(file)) return [`Kubernetes ${release} has no ${object.kind} of ${object.apiVersion}`]
    const schema = extension ?? schemaOf(file)
    const validate = ajv.getSchema(schema.$id) ?? ajv.compile(schema)
    if (validate(object)) return []
    return (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath || '/'}: ${message}${'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : ''}`)
  }
}

function schemaOf(file: string): Schema {
  return JSON.parse(readFileSync(file, 'utf8')) as Schema
}

function schemasFolder(): string {
  const folder = process.env['KUBERNETES_SCHEMAS'] ?? resolve('node_modules/.cache/kubernetes-validate-1.37.0/kubernetes_validate/kubernetes-json-schema')
  if (!existsSync(folder)) throw new Error(`there are no schemas of Kubernetes in ${folder}: npm test -- test/k8s brings them (it needs Python with pip)`)
  return folder
}
