/** What a pod must be: fit for PodSecurity `restricted`, asked by three probes, ended in order, with bounds; and evictable. */
import { isWorkload, selects, titleOf, type Container, type Manifest, type PodSpec, type Selector, type Workload } from './manifests.js'

const STANDARD_LABELS = ['app.kubernetes.io/name', 'app.kubernetes.io/component', 'app.kubernetes.io/part-of']

export function podFaults(objects: readonly Manifest[]): string[] {
  return objects.filter(isWorkload).flatMap((workload) => {
    const { template } = workload.spec
    const title = titleOf(workload)
    const labels = STANDARD_LABELS.filter((name) => !template.metadata.labels?.[name]).map((name) => `${title}: its pods have no label ${name}`)
    const containers = [...(template.spec.initContainers ?? []), ...template.spec.containers]
    return [
      ...labels,
      ...ofPod(title, template.spec),
      ...containers.flatMap((container) => ofContainer(`${title}, container ${container.name}`, container, template.spec)),
      ...template.spec.containers.flatMap((container) => ofRunning(`${title}, container ${container.name}`, container)),
      ...ofRollout(workload),
      ...ofBudget(workload, objects),
    ]
  })
}

function ofPod(title: string, pod: PodSpec): string[] {
  const { securityContext = {} } = pod
  return said(title, [
    [!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, 'shares something of the node'],
    [!(pod.volumes ?? []).some(({ hostPath }) => hostPath), 'mounts a folder of the node'],
    [securityContext.runAsNonRoot === true, 'may run as root'],
    [(securityContext.runAsUser ?? 0) > 0, 'names no user'],
    [securityContext.seccompProfile?.type === 'RuntimeDefault', 'has no seccomp profile'],
    [pod.automountServiceAccountToken === false, 'is given a token of the API server'],
    [pod.serviceAccountName !== undefined, 'has no service account of its own'],
    // A Service `hubbub` would be told as HUBBUB_PORT=tcp://..., which is a setting.
    [pod.enableServiceLinks === false, 'is told of Services by variables that are settings, too'],
    [(pod.terminationGracePeriodSeconds ?? 30) >= 60, 'has less than 60 s to end'],
  ])
}

function ofContainer(place: string, { securityContext = {}, resources = {}, image }: Container, pod: PodSpec): string[] {
  return said(place, [
    [securityContext.allowPrivilegeEscalation === false, 'may gain privileges'],
    [!securityContext.privileged, 'is privileged'],
    [(securityContext.runAsUser ?? pod.securityContext?.runAsUser ?? 0) > 0 && securityContext.runAsNonRoot !== false, 'may run as root'],
    [securityContext.capabilities?.drop?.includes('ALL') === true && (securityContext.capabilities.add ?? []).length === 0, 'keeps capabilities'],
    [securityContext.readOnlyRootFilesystem === true, 'may write to its image'],
    [resources.requests?.['cpu'] !== undefined && resources.requests['memory'] !== undefined, 'requests no CPU or no memory'],
    [resources.limits?.['memory'] !== undefined, 'has no limit of memory'],
    [/:[^/]+$/.test(image) && !image.endsWith(':latest'), `has an image without a version (${image})`],
  ])
}

function ofRunning(place: string, { startupProbe, livenessProbe, readinessProbe }: Container): string[] {
  return said(place, [
    [startupProbe !== undefined, 'has no startup probe'],
    [livenessProbe !== undefined, 'has no liveness probe'],
    [readinessProbe !== undefined, 'has no readiness probe'],
    [livenessProbe?.httpGet?.path !== '/health/ready', 'would be killed for what its store does'],
  ])
}

function ofRollout(workload: Workload): string[] {
  if (workload.kind !== 'Deployment') return []
  const { maxUnavailable, maxSurge } = workload.spec.strategy?.rollingUpdate ?? {}
  return said(titleOf(workload), [
    [maxUnavailable === 0, 'loses pods in a rollout before there are others'],
    [maxSurge !== undefined && maxSurge !== 0, 'cannot roll out'],
  ])
}

/** One budget, and one that lets a node be drained. */
function ofBudget(workload: Workload, objects: readonly Manifest[]): string[] {
  const budgets = objects.filter((object) => object.kind === 'PodDisruptionBudget').map(({ spec }) => spec as { selector: Selector; maxUnavailable?: number | string })
  const own = budgets.filter(({ selector }) => selects(selector, workload.spec.template.metadata.labels))
  return said(titleOf(workload), [
    [own.length === 1, `has ${own.length} disruption budgets`],
    [own.every(({ maxUnavailable }) => maxUnavailable !== undefined && maxUnavailable !== 0), 'has a disruption budget that may let no node be drained'],
  ])
}

function said(place: string, checks: readonly (readonly [holds: boolean, otherwise: string])[]): string[] {
  return checks.filter(([holds]) => !holds).map(([, otherwise]) => `${place}: ${otherwise}`)
}
