/** What one object says of another: names, keys, ports and labels that must lead somewhere. No schema and no API server looks at these. */
import { isWorkload, selects, titleOf, type Container, type Manifest, type PodSpec, type Selector, type Source, type Workload } from './manifests.js'

/** What a user makes beforehand, by the overlay's own words: the names of Secrets with the keys that they hold. */
export type Given = Readonly<Record<string, readonly string[]>>

interface Service extends Manifest {
  spec: { selector?: Record<string, string>; ports: { name?: string; port: number; targetPort?: number | string }[]; sessionAffinity?: string; sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } } }
}

interface TargetRef {
  apiVersion?: string
  kind?: string
  name: string
}

interface BackendRef {
  kind?: string
  name: string
  port: number
}

export function danglingReferences(objects: readonly Manifest[], given: Given): string[] {
  const workloads = objects.filter(isWorkload)
  return [
    ...twice(objects),
    ...workloads.flatMap((workload) => ofWorkload(workload, objects, given)),
    ...objects.flatMap((object) => ofObject(object, objects, workloads, given)).filter((complaint) => complaint !== ''),
  ]
}

function twice(objects: readonly Manifest[]): string[] {
  const titles = objects.map(titleOf)
  return titles.filter((title, place) => titles.indexOf(title) !== place).map((title) => `${title}: is there twice`)
}

function ofObject(object: Manifest, objects: readonly Manifest[], workloads: readonly Workload[], given: Given): string[] {
  const title = titleOf(object)
  switch (object.kind) {
    case 'Service':
      return ofService(object as Service, workloads)
    case 'PodDisruptionBudget':
      return matchesSome(title, (object.spec as { selector: Selector }).selector, workloads)
    case 'HorizontalPodAutoscaler':
    case 'ScaledObject':
      return ofTarget(title, (object.spec as { scaleTargetRef: TargetRef }).scaleTargetRef, objects)
    case 'Ingress':
      return (object.spec as { rules: { http: { paths: { backend: { service: { name: string; port: { name?: string; number?: number } } } }[] } }[] }).rules
        .flatMap(({ http }) => http.paths)
        .map(({ backend: { service } }) => leadsTo(title, service.name, service.port.name ?? service.port.number, objects))
    case 'HTTPRoute':
      return (object.spec as { rules: { backendRefs?: BackendRef[] }[] }).rules.flatMap(({ backendRefs = [] }) => backendRefs).map(({ name, port }) => leadsTo(title, name, port, objects))
    case 'PodMonitor':
      return ofMonitor(title, object.spec as Monitor, workloads, given)
    default:
      return []
  }
}

function ofWorkload(workload: Workload, objects: readonly Manifest[], given: Given): string[] {
  const title = titleOf(workload)
  const { template, selector, serviceName, volumeClaimTemplates = [] } = workload.spec
  const pod = template.spec
  const complaints: string[] = []
  if (!selects(selector, template.metadata.labels)) complaints.push(`${title}: its selector does not match its own pods`)
  for (const { labelSelector } of pod.topologySpreadConstraints ?? []) {
    if (!selects(labelSelector, template.metadata.labels)) complaints.push(`${title}: a topology spread does not match its own pods`)
  }
  if (pod.serviceAccountName && !has(objects, 'ServiceAccount', pod.serviceAccountName)) complaints.push(`${title}: there is no ServiceAccount ${pod.serviceAccountName}`)
  if (serviceName && !has(objects, 'Service', serviceName)) complaints.push(`${title}: there is no Service ${serviceName}`)
  const volumes = new Set([...(pod.volumes ?? []).map(({ name }) => name), ...volumeClaimTemplates.map(({ metadata }) => metadata.name)])
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const place = `${title}, container ${container.name}`
    complaints.push(...(container.volumeMounts ?? []).filter(({ name }) => !volumes.has(name)).map(({ name }) => `${place}: there is no volume ${name}`))
    complaints.push(...ofEnvironment(place, container, objects, given), ...ofProbes(place, container))
  }
  return [...complaints, ...ofVolumes(title, pod, objects, given)]
}

function ofVolumes(title: string, pod: PodSpec, objects: readonly Manifest[], given: Given): string[] {
  return (pod.volumes ?? []).flatMap(({ name, configMap, secret }) => {
    const place = `${title}, volume ${name}`
    if (configMap) return (configMap.items ?? [{ key: undefined }]).map(({ key }) => holds(place, 'ConfigMap', configMap.name, key, objects, given))
    if (secret) return (secret.items ?? [{ key: undefined }]).map(({ key }) => holds(place, 'Secret', secret.secretName, key, objects, given))
    return []
  }).filter((complaint) => complaint !== '')
}

function ofEnvironment(place: string, container: Container, objects: readonly Manifest[], given: Given): string[] {
  const complaints: string[] = []
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef && !configMapRef.optional) complaints.push(holds(place, 'ConfigMap', configMapRef.name, undefined, objects, given))
    if (secretRef && !secretRef.optional) complaints.push(holds(place, 'Secret', secretRef.name, undefined, objects, given))
  }
  for (const { valueFrom } of container.env ?? []) {
    const look = (kind: string, source: Source | undefined) => source && complaints.push(holds(place, kind, source.name, source.optional ? undefined : source.key, objects, given))
    look('ConfigMap', valueFrom?.configMapKeyRef)
    look('Secret', valueFrom?.secretKeyRef)
  }
  return complaints.filter((complaint) => complaint !== '')
}

function ofProbes(place: string, container: Container): string[] {
  return [container.startupProbe, container.livenessProbe, container.readinessProbe].flatMap((probe) => {
    const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port
    return port === undefined || portOf(container, port) ? [] : [`${place}: a probe asks port ${port}, which it does not have`]
  })
}

function ofService(service: Service, workloads: readonly Workload[]): string[] {
  const title = titleOf(service)
  const selector = { matchLabels: service.spec.selector ?? {} }
  const behind = workloads.filter((workload) => selects(selector, workload.spec.template.metadata.labels))
  if (behind.length === 0) return [`${title}: its selector matches no pod`]
  return behind.flatMap((workload) =>
    service.spec.ports
      .filter(({ port, targetPort = port }) => !workload.spec.template.spec.containers.some((container) => portOf(container, targetPort)))
      .map(({ port, targetPort = port }) => `${title}: ${titleOf(workload)} has no port ${targetPort}`),
  )
}

interface Monitor {
  jobLabel?: string
  selector: Selector
  podMetricsEndpoints: { port?: string; authorization?: { credentials: Source } }[]
}

function ofMonitor(title: string, { jobLabel = '', selector, podMetricsEndpoints }: Monitor, workloads: readonly Workload[], given: Given): string[] {
  const scraped = workloads.filter((workload) => selects(selector, workload.spec.template.metadata.labels))
  if (scraped.length === 0) return [`${title}: its selector matches no pod`]
  // Without it the job is called by namespace and monitor, and no alert knows it.
  const unnamed = scraped.filter((workload) => workload.spec.template.metadata.labels?.[jobLabel] !== 'hubbub').map((workload) => `${title}: jobLabel does not make ${titleOf(workload)} the job hubbub`)
  return podMetricsEndpoints.flatMap(({ port, authorization }) => {
    const without = scraped.filter((workload) => !workload.spec.template.spec.containers.some((container) => port && portOf(container, port)))
    const credentials = authorization ? [holds(title, 'Secret', authorization.credentials.name, authorization.credentials.key, [], given)] : []
    return [...unnamed, ...without.map((workload) => `${title}: ${titleOf(workload)} has no port ${port}`), ...credentials]
  })
}

function ofTarget(title: string, target: TargetRef, objects: readonly Manifest[]): string[] {
  const found = objects.some(({ apiVersion, kind, metadata }) => kind === (target.kind ?? 'Deployment') && metadata.name === target.name && apiVersion === (target.apiVersion ?? 'apps/v1'))
  return found ? [] : [`${title}: there is no ${target.kind ?? 'Deployment'} ${target.name} of ${target.apiVersion ?? 'apps/v1'}`]
}

function leadsTo(title: string, name: string, port: string | number | undefined, objects: readonly Manifest[]): string {
  const service = objects.find((object): object is Service => object.kind === 'Service' && object.metadata.name === name)
  if (!service) return `${title}: there is no Service ${name}`
  return service.spec.ports.some((of) => of.name === port || of.port === port) ? '' : `${title}: Service ${name} has no port ${port}`
}

export function matchesSome(title: string, selector: Selector | undefined, workloads: readonly Workload[]): string[] {
  return workloads.some((workload) => selects(selector, workload.spec.template.metadata.labels)) ? [] : [`${title}: its selector matches no pod`]
}

export function portOf(container: Container, port: string | number): boolean {
  return (container.ports ?? []).some(({ name, containerPort }) => name === port || containerPort === port)
}

/** Empty when the object is there, with the key if one is asked for. */
function holds(place: string, kind: string, name: string, key: string | undefined, objects: readonly Manifest[], given: Given): string {
  const object = objects.find((other) => other.kind === kind && other.metadata.name === name)
  const keys = object ? Object.keys({ ...object.data, ...object.stringData }) : kind === 'Secret' ? given[name] : undefined
  if (!keys) return `${place}: there is no ${kind} ${name}`
  return key === undefined || keys.includes(key) ? '' : `${place}: ${kind} ${name} has no key ${key}`
}

function has(objects: readonly Manifest[], kind: string, name: string): boolean {
  return objects.some((object) => object.kind === kind && object.metadata.name === name)
}
