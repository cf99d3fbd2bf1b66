/** What an API server refuses, or what cannot be meant, about several fields of one object: each of them is well by itself. */
import { isIP, BlockList } from 'node:net'
import { isWorkload, titleOf, type Container, type Manifest, type Workload } from './manifests.js'

interface Metric {
  type: string
  [source: string]: unknown
}

interface Target {
  type: string
  averageUtilization?: number
  averageValue?: string
  value?: string
}

const SOURCES: Readonly<Record<string, string>> = { Resource: 'resource', Pods: 'pods', Object: 'object', External: 'external', ContainerResource: 'containerResource' }
const FIGURES = { Utilization: 'averageUtilization', AverageValue: 'averageValue', Value: 'value' } as const

export function relationFaults(objects: readonly Manifest[]): string[] {
  return objects.flatMap((object) => {
    const complaints = isWorkload(object) ? ofWorkload(object) : ofOther(object)
    // All go where they are applied to; one that names its own place would be parted from what it belongs to.
    if (object.metadata.namespace !== undefined) complaints.push(`goes to the namespace ${object.metadata.namespace}, wherever the others go`)
    return complaints.map((complaint) => `${titleOf(object)}: ${complaint}`)
  })
}

function ofOther({ kind, spec }: Manifest): string[] {
  switch (kind) {
    case 'HorizontalPodAutoscaler':
      return ofAutoscaler(spec as { minReplicas?: number; maxReplicas: number; metrics?: Metric[] })
    case 'ScaledObject': {
      const { minReplicaCount = 0, maxReplicaCount = 100 } = spec as { minReplicaCount?: number; maxReplicaCount?: number }
      return minReplicaCount > maxReplicaCount ? [`at least ${minReplicaCount} and at most ${maxReplicaCount}`] : []
    }
    case 'PodDisruptionBudget':
      return 'minAvailable' in spec! && 'maxUnavailable' in spec ? ['has both minAvailable and maxUnavailable'] : []
    case 'Service':
      return twice('the port', (spec as { ports: { name?: string }[] }).ports.map(({ name = '' }) => name))
    case 'NetworkPolicy':
      return blocksOf(spec).flatMap(ofBlock)
    case 'HTTPRoute':
      return (spec as { rules: { backendRefs?: { group?: string; kind?: string }[] }[] }).rules
        .flatMap(({ backendRefs = [] }) => backendRefs)
        .filter((backend) => (backend.group ?? '') !== '' || (backend.kind ?? 'Service') !== 'Service')
        .map((backend) => `leads to a ${backend.kind ?? 'Service'} of '${backend.group ?? ''}', not to a Service`)
    default:
      return []
  }
}

function ofAutoscaler({ minReplicas = 1, maxReplicas, metrics = [] }: { minReplicas?: number; maxReplicas: number; metrics?: Metric[] }): string[] {
  const complaints = minReplicas > maxReplicas ? [`at least ${minReplicas} and at most ${maxReplicas}`] : []
  for (const metric of metrics) {
    const source = metric[SOURCES[metric.type] ?? ''] as { target: Target } | undefined
    if (!source) complaints.push(`a metric of the type ${metric.type} does not say which`)
    const figure = source && FIGURES[source.target.type as keyof typeof FIGURES]
    if (source && figure && source.target[figure] === undefined) complaints.push(`a target of the type ${source.target.type} has no ${figure}`)
  }
  return complaints
}

function ofWorkload({ spec }: Workload): string[] {
  const { initContainers = [], containers, volumes = [], terminationGracePeriodSeconds = 30 } = spec.template.spec
  const all = [...initContainers, ...containers]
  return [
    ...twice('the container', all.map(({ name }) => name)),
    ...twice('the volume', [...volumes, ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)].map(({ name }) => name)),
    ...all.flatMap((container) => ofContainer(container, terminationGracePeriodSeconds).map((complaint) => `container ${container.name}: ${complaint}`)),
  ]
}

function ofContainer({ env = [], ports = [], volumeMounts = [], resources = {}, lifecycle }: Container, graceSeconds: number): string[] {
  const { requests = {}, limits = {} } = resources
  const pause = lifecycle?.preStop?.sleep?.seconds ?? 0
  return [
    ...twice('the variable', env.map(({ name }) => name)),
    ...twice('the port', ports.map(({ name = '' }) => name)),
    ...twice('the folder', volumeMounts.map(({ mountPath }) => mountPath)),
    ...env.filter(({ value, valueFrom }) => value !== undefined && value !== '' && valueFrom !== undefined).map(({ name }) => `the variable ${name} has a value and a source of it`),
    ...Object.keys(requests).filter((name) => limits[name] !== undefined && amountOf(requests[name]!) > amountOf(limits[name])).map((name) => `requests ${requests[name]} of ${name} and is limited to ${limits[name]}`),
    ...(pause > graceSeconds ? [`sleeps ${pause} s before it stops, of ${graceSeconds} s`] : []),
  ]
}

function twice(what: string, names: readonly string[]): string[] {
  return names.filter((name, place) => names.indexOf(name) !== place).map((name) => `${what} ${name} is there twice`)
}

/** Bytes, or CPUs. */
export function amountOf(quantity: string | number): number {
  const [, figure = 'NaN', unit = ''] = /^([\d.]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(quantity)) ?? []
  return Number(figure) * { '': 1, m: 0.001, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 }[unit]!
}

interface Block {
  cidr: string
  except?: string[]
}

function blocksOf(value: unknown): Block[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => (key === 'ipBlock' ? [inner as Block] : blocksOf(inner)))
}

function ofBlock({ cidr, except = [] }: Block): string[] {
  const wrong = [cidr, ...except].filter((range) => !isRange(range))
  if (wrong.length > 0) return wrong.map((range) => `${range} is no range of addresses`)
  const [address, bits] = cidr.split('/') as [string, string]
  const block = new BlockList()
  block.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  return except.filter((range) => !isWithin(block, range, Number(bits))).map((range) => `${range} is not within ${cidr}`)
}

function isRange(range: string): boolean {
  const [address = '', bits = '', ...more] = range.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most
}

function isWithin(block: BlockList, range: string, outerBits: number): boolean {
  const [address, bits] = range.split('/') as [string, string]
  return Number(bits) > outerBits && block.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}
