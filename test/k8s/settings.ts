/** The hub's own view of its pods: whether it would start with the environment that they give it, and end in time. */
import { readSettings } from '../../server/src/settings/read.js'
import { SETTINGS, type Settings } from '../../server/src/settings/table.js'
import { isWorkload, selects, titleOf, type Container, type Manifest, type Variable, type Workload } from './manifests.js'
import { letsOut } from './network.js'
import { amountOf } from './relations.js'

/** Left between the end of the drain and the kill, s. */
const MARGIN = 5
/** A session's record outlives its connection by the retention, or by this; s. */
const LEAST_SESSION = 120

type Scaler = { scaleTargetRef: { name: string }; minReplicas?: number; maxReplicas?: number; minReplicaCount?: number; maxReplicaCount?: number }

/** What Secrets that a user makes beforehand hold, for example. */
export type Examples = Readonly<Record<string, Readonly<Record<string, string>>>>

export function settingFaults(objects: readonly Manifest[], examples: Examples): string[] {
  const hubs = objects.filter(isWorkload).filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === 'hubbub')
  return hubs.flatMap((workload) => {
    const container = workload.spec.template.spec.containers.find(({ name }) => name === 'hub')
    if (!container) return [`${titleOf(workload)}: has no container hub`]
    const { variables, complaints } = environmentOf(titleOf(workload), container, objects, examples)
    try {
      const settings = readSettings(variables)
      return [...complaints, ...ofSettings(workload, container, settings), ...ofWays(workload, settings, objects), ...ofScaling(workload, settings, objects), ...ofAffinity(workload, settings, objects)]
    } catch (error) {
      return [...complaints, `${titleOf(workload)}: ${error instanceof Error ? error.message : String(error)}`]
    }
  })
}

export function environmentOf(title: string, container: Container, objects: readonly Manifest[], examples: Examples): { variables: Record<string, string>; complaints: string[] } {
  const variables: Record<string, string> = {}
  const complaints: string[] = []
  for (const { configMapRef } of container.envFrom ?? []) Object.assign(variables, objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name)?.data)
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, objects, examples)
    if (value === undefined) continue
    variables[variable.name] = value.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => {
      // Kubernetes leaves it as it stands.
      if (!(name in variables)) complaints.push(`${title}: ${variable.name} names ${whole}, which does not stand before it`)
      return variables[name] ?? whole
    })
  }
  const known = new Set<string>(Object.values(SETTINGS).map(({ env }) => env))
  for (const name of Object.keys(variables)) {
    if (name.startsWith('HUBBUB_') && !known.has(name)) complaints.push(`${title}: there is no setting ${name}`)
  }
  return { variables, complaints }
}

function valueOf({ value, valueFrom }: Variable, objects: readonly Manifest[], examples: Examples): string | undefined {
  if (value !== undefined) return value
  if (valueFrom?.fieldRef) return 'hubbub-worker-6d4cf56db6-x2x7k'
  if (!valueFrom?.secretKeyRef) return undefined
  const { name, key } = valueFrom.secretKeyRef
  const secret = objects.find((object) => object.kind === 'Secret' && object.metadata.name === name)
  return secret?.data?.[key] === undefined ? examples[name]?.[key] : Buffer.from(secret.data[key], 'base64').toString()
}

function ofSettings(workload: Workload, container: Container, settings: Settings): string[] {
  const title = titleOf(workload)
  const complaints: string[] = []
  const { terminationGracePeriodSeconds = 30 } = workload.spec.template.spec
  const pause = container.lifecycle?.preStop?.sleep?.seconds ?? 0
  const ending = pause + settings.drainMs / 1000 + MARGIN
  if (ending > terminationGracePeriodSeconds) complaints.push(`${title}: preStop (${pause} s), HUBBUB_DRAIN_MS (${settings.drainMs} ms) and ${MARGIN} s are more than its grace period of ${terminationGracePeriodSeconds} s`)
  if (settings.role !== workload.metadata.labels?.['app.kubernetes.io/component']) complaints.push(`${title}: its role is ${settings.role}`)
  if (settings.role === 'worker' && pause === 0) complaints.push(`${title}: begins to drain while new clients are still sent to it`)
  if (['127.0.0.1', '::1', 'localhost'].includes(settings.host)) complaints.push(`${title}: listens for itself only`)
  if (!(container.ports ?? []).some(({ name, containerPort }) => name === 'http' && containerPort === settings.port)) complaints.push(`${title}: listens on ${settings.port}, which is not its port http`)
  for (const [path, variable] of [[settings.redisCaFile, 'HUBBUB_REDIS_CA_FILE'], [settings.jwksFile, 'HUBBUB_JWKS_FILE'], [settings.jwtPublicKeyFile, 'HUBBUB_JWT_PUBLIC_KEY_FILE']] as const) {
    if (path !== '' && !(container.volumeMounts ?? []).some(({ mountPath }) => path.startsWith(`${mountPath}/`))) complaints.push(`${title}: ${variable} (${path}) is mounted nowhere`)
  }
  const windows = settings.role === 'worker' ? settings.partitions * settings.windowBytes : 0
  const limit = amountOf(container.resources?.limits?.['memory'] ?? '0')
  if (windows > limit / 2) complaints.push(`${title}: the windows of ${settings.partitions} partitions may take more than half of its memory`)
  return complaints
}

/** That it gets to its Redis, and whoever scrapes it to its metrics. */
function ofWays(workload: Workload, settings: Settings, objects: readonly Manifest[]): string[] {
  const title = titleOf(workload)
  const complaints: string[] = []
  const { hostname, port } = new URL(settings.redisUrl)
  const isHere = objects.some(({ kind, metadata }) => kind === 'Service' && metadata.name === hostname)
  if (!isHere && !letsOut(objects, workload, Number(port || 6379))) complaints.push(`${title}: no policy lets it go to its Redis at ${hostname}:${port || 6379}`)
  const monitors = objects.filter(({ kind }) => kind === 'PodMonitor').map(({ metadata, spec }) => ({ metadata, spec: spec as { podMetricsEndpoints: { authorization?: object }[] } }))
  for (const { metadata, spec } of monitors) {
    const isKnown = spec.podMetricsEndpoints.every(({ authorization }) => authorization)
    if (settings.metricsAccess === 'admin' && !isKnown) complaints.push(`PodMonitor ${metadata.name}: comes without a credential, and ${title} wants an admin's`)
  }
  return complaints
}

function ofScaling(workload: Workload, settings: Settings, objects: readonly Manifest[]): string[] {
  const title = titleOf(workload)
  const scalers = objects
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
    .map(({ spec }) => spec as Scaler)
    .filter(({ scaleTargetRef }) => scaleTargetRef.name === workload.metadata.name)
  if (scalers.length > 1) return [`${title}: ${scalers.length} autoscalers quarrel over it`]
  const [scaler] = scalers
  if (!scaler) return workload.spec.replicas === undefined ? [`${title}: nobody says how many`] : []
  const complaints: string[] = []
  if (workload.spec.replicas !== undefined) complaints.push(`${title}: an apply sets the autoscaler's replicas back`)
  const { minReplicas = scaler.minReplicaCount ?? 1, maxReplicas = scaler.maxReplicaCount ?? 1 } = scaler
  if (minReplicas < 2) complaints.push(`${title}: may be a single one`)
  if (settings.role === 'processor' && maxReplicas > settings.partitions) complaints.push(`${title}: up to ${maxReplicas}, and there are ${settings.partitions} partitions`)
  return complaints
}

/** A long-polling client that is sent to another worker within its session's life loses the session. */
function ofAffinity(workload: Workload, settings: Settings, objects: readonly Manifest[]): string[] {
  const session = Math.max(settings.retentionMs / 1000, LEAST_SESSION, (settings.pingIntervalMs + settings.pingTimeoutMs) / 1000)
  return objects
    .filter(({ kind }) => kind === 'Service')
    .map((service) => ({ service, spec: service.spec as { selector?: Record<string, string>; sessionAffinity?: string; sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } } } }))
    .filter(({ spec }) => selects({ matchLabels: spec.selector ?? {} }, workload.spec.template.metadata.labels))
    .filter(({ spec }) => spec.sessionAffinity !== 'ClientIP' || (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0) <= session)
    .map(({ service }) => `${titleOf(service)}: long-polling clients do not stay on their worker for a session's ${session} s`)
}
