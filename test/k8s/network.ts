/** Network policies: that they select something, name ports that there are, and let through what the hub needs and nothing else. */
import { isWorkload, selects, titleOf, type Labels, type Manifest, type Selector, type Workload } from './manifests.js'
import { matchesSome, portOf } from './references.js'

interface Peer {
  podSelector?: Selector
  namespaceSelector?: Selector
  ipBlock?: { cidr: string; except?: string[] }
}

interface PortRule {
  protocol?: string
  port?: number | string
}

interface Policy extends Manifest {
  spec: {
    podSelector: Selector
    policyTypes: ('Ingress' | 'Egress')[]
    ingress?: { from?: Peer[]; ports?: PortRule[] }[]
    egress?: { to?: Peer[]; ports?: PortRule[] }[]
  }
}

type Direction = 'Ingress' | 'Egress'

/** Names are looked up by UDP, and by TCP only where an answer is long. */
const NAMES_PORT = 53

export function networkFaults(objects: readonly Manifest[]): string[] {
  const workloads = objects.filter(isWorkload)
  const policies = objects.filter((object): object is Policy => object.kind === 'NetworkPolicy')
  return [...policies.flatMap((policy) => ofPolicy(policy, workloads)), ...workloads.flatMap((workload) => ofPods(workload, workloads, policies))]
}

function ofPolicy(policy: Policy, workloads: readonly Workload[]): string[] {
  const title = titleOf(policy)
  const { podSelector, ingress = [], egress = [] } = policy.spec
  const complaints = matchesSome(title, podSelector, workloads)
  const selected = workloads.filter((workload) => selects(podSelector, labelsOf(workload)))
  for (const { from = [], ports = [] } of ingress) {
    complaints.push(...ofPeers(title, from, workloads), ...ofPorts(title, ports, selected))
  }
  for (const { to = [], ports = [] } of egress) {
    complaints.push(...ofPeers(title, to, workloads))
    const ours = workloads.filter((workload) => to.some((peer) => peer.podSelector && !peer.namespaceSelector && selects(peer.podSelector, labelsOf(workload))))
    if (ours.length > 0) complaints.push(...ofPorts(title, ports, ours))
  }
  return complaints
}

function ofPeers(title: string, peers: readonly Peer[], workloads: readonly Workload[]): string[] {
  return peers.flatMap(({ podSelector, namespaceSelector }) => (podSelector && !namespaceSelector ? matchesSome(`${title}, a peer`, podSelector, workloads) : []))
}

function ofPorts(title: string, ports: readonly PortRule[], workloads: readonly Workload[]): string[] {
  return workloads.flatMap((workload) =>
    ports
      .filter(({ port }) => port !== undefined && !workload.spec.template.spec.containers.some((container) => portOf(container, port)))
      .map(({ port }) => `${title}: ${titleOf(workload)} has no port ${port}`),
  )
}

/** A pod that no policy selects is open; what a role needs must be let through. */
function ofPods(workload: Workload, workloads: readonly Workload[], policies: readonly Policy[]): string[] {
  const title = titleOf(workload)
  const complaints: string[] = []
  for (const direction of ['Ingress', 'Egress'] as const) {
    if (!policies.some(({ spec }) => spec.policyTypes.includes(direction) && selects(spec.podSelector, labelsOf(workload)))) complaints.push(`${title}: no policy closes its ${direction.toLowerCase()}`)
  }
  const lets = (direction: Direction, port: number, peer?: Labels) => policies.some((policy) => letsThrough(policy, workload, direction, port, peer))
  switch (labelsOf(workload)['app.kubernetes.io/component']) {
    case 'worker':
      if (!lets('Ingress', 4000)) complaints.push(`${title}: no policy lets clients in from anywhere`)
      if (!lets('Egress', NAMES_PORT)) complaints.push(`${title}: no policy lets it look names up`)
      break
    case 'processor':
      if (lets('Ingress', 4000)) complaints.push(`${title}: a policy lets everybody in`)
      if (!lets('Egress', NAMES_PORT)) complaints.push(`${title}: no policy lets it look names up`)
      break
    case 'store':
      for (const hub of workloads.filter((other) => labelsOf(other)['app.kubernetes.io/name'] === 'hubbub')) {
        if (!lets('Ingress', 6379, labelsOf(hub))) complaints.push(`${title}: no policy lets ${titleOf(hub)} in`)
        if (!policies.some((policy) => letsThrough(policy, hub, 'Egress', 6379, labelsOf(workload)))) complaints.push(`${titleOf(hub)}: no policy lets it go to ${title}`)
      }
      if (lets('Ingress', 6379)) complaints.push(`${title}: a policy lets everybody in`)
      break
  }
  return complaints
}

/** Without a peer: whether anybody, or any address, may. */
function letsThrough({ spec }: Policy, workload: Workload, direction: Direction, port: number, peer?: Labels): boolean {
  if (!spec.policyTypes.includes(direction) || !selects(spec.podSelector, labelsOf(workload))) return false
  const rules = direction === 'Ingress' ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports })) : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
  return rules.some(({ peers = [], ports = [] }) => {
    const hasPort = ports.length === 0 || ports.some((rule) => rule.port === port && (rule.protocol ?? 'TCP') === (port === NAMES_PORT ? 'UDP' : 'TCP'))
    const hasPeer = peers.length === 0 || (peer !== undefined && peers.some(({ podSelector, namespaceSelector }) => !namespaceSelector && selects(podSelector, peer)))
    return hasPort && hasPeer
  })
}

/** Whether a workload may go to a port of some address that is none of a pod here. */
export function letsOut(objects: readonly Manifest[], workload: Workload, port: number): boolean {
  return objects
    .filter((object): object is Policy => object.kind === 'NetworkPolicy')
    .filter(({ spec }) => spec.policyTypes.includes('Egress') && selects(spec.podSelector, labelsOf(workload)))
    .flatMap(({ spec }) => spec.egress ?? [])
    .some(({ to = [], ports = [] }) => (to.length === 0 || to.some(({ ipBlock }) => ipBlock)) && (ports.length === 0 || ports.some((rule) => rule.port === port)))
}

function labelsOf(workload: Workload): Labels {
  return workload.spec.template.metadata.labels ?? {}
}
