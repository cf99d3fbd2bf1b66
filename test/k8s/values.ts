/**
 * Values that an API server refuses and its published schemas do not: there a word is any text, a quantity any text, a number any number.
 * Only what the manifests use; a field that is not here may hold anything.
 */
import { titleOf, type Manifest } from './manifests.js'

type Check = (value: unknown) => boolean

const one = (...of: string[]): Check => (value) => of.includes(value as string)
const text = (pattern: RegExp, most = 253): Check => (value) => typeof value === 'string' && value.length <= most && pattern.test(value)
const whole = (min: number, max = 2 ** 31 - 1): Check => (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
const label = text(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 63)
/** A name, or a number of a port. */
const port: Check = (value) => whole(1, 65535)(value) || text(/^(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 15)(value)
const qualified = text(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, 317)
/** No unit `m` of memory, which is a thousandth of a byte, and none that Kubernetes does not know (`GB`). */
const bytes = text(/^\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$/)
/** In lines, as kustomize writes it. */
const base64: Check = (value) => typeof value === 'string' && /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value.replaceAll('\n', ''))
const cpu = text(/^(\d+m|\d+(\.\d{1,3})?)$/)

/** Where: `Kind/field/list[]/field`. The first that fits counts. */
const VALUES: readonly (readonly [where: RegExp, check: Check, allowed: string])[] = [
  [/^[^/]+\/metadata\/name$/, text(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/), 'small letters, digits, -'],
  [/\/(container|initContainer|volume|volumeMount|volumeClaimTemplate)s\[\](\/metadata)?\/name$/, label, 'small letters, digits, -'],
  [/\/ports\[\]\/(name|port|targetPort|containerPort)$|(httpGet|tcpSocket|service\/port)\/(port|name)$/, port, 'a port, or its name of at most 15 small letters, digits, -'],
  [/\/env\[\]\/name$/, text(/^[A-Za-z_][A-Za-z0-9_]*$/), 'letters, digits, _'],
  [/^(ConfigMap|Secret)\/data\/\{key\}$/, text(/^[-._a-zA-Z0-9]+$/), 'letters, digits, - _ .'],
  [/^Secret\/data\/[^/]+$/, base64, 'base64'],
  [/\/(labels|matchLabels|annotations|selector)\/\{key\}$/, qualified, 'a name, after a domain and / if it has one'],
  [/\/(labels|matchLabels)\/.+$|^Service\/spec\/selector\/.+$/, text(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, 63), 'at most 63 letters, digits, - _ .'],
  [/\/(requests|limits)\/(memory|storage)$/, bytes, 'bytes, with Ki, Mi, Gi if they are many'],
  [/\/(requests|limits)\/cpu$/, cpu, 'CPUs, or thousandths (m)'],
  [/^HorizontalPodAutoscaler.*\/averageValue$/, text(/^\d+(m|k|M|Ki|Mi|Gi)?$/), 'a quantity'],
  [/\/imagePullPolicy$/, one('Always', 'IfNotPresent', 'Never'), 'Always, IfNotPresent, Never'],
  [/\/template\/spec\/restartPolicy$/, one('Always'), 'Always'],
  [/\/whenUnsatisfiable$/, one('DoNotSchedule', 'ScheduleAnyway'), 'DoNotSchedule, ScheduleAnyway'],
  [/\/topologyKey$/, one('kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'topology.kubernetes.io/region'), 'a label that nodes have'],
  [/\/matchLabelKeys\[\]$/, one('pod-template-hash'), 'pod-template-hash'],
  [/\/protocol$/, one('TCP', 'UDP', 'SCTP'), 'TCP, UDP, SCTP'],
  [/\/policyTypes\[\]$/, one('Ingress', 'Egress'), 'Ingress, Egress'],
  [/\/pathType$/, one('Exact', 'Prefix', 'ImplementationSpecific'), 'Exact, Prefix, ImplementationSpecific'],
  [/\/unhealthyPodEvictionPolicy$/, one('IfHealthyBudget', 'AlwaysAllow'), 'IfHealthyBudget, AlwaysAllow'],
  [/\/sessionAffinity$/, one('ClientIP', 'None'), 'ClientIP, None'],
  [/^Service\/spec\/type$/, one('ClusterIP', 'NodePort', 'LoadBalancer'), 'ClusterIP, NodePort, LoadBalancer'],
  [/\/clientIP\/timeoutSeconds$/, whole(1, 86_400), '1 to 86400 s'],
  [/^Deployment\/spec\/strategy\/type$/, one('RollingUpdate', 'Recreate'), 'RollingUpdate, Recreate'],
  [/\/accessModes\[\]$/, one('ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany', 'ReadOnlyMany'), 'ReadWriteOnce, ...'],
  [/\/fsGroupChangePolicy$/, one('OnRootMismatch', 'Always'), 'OnRootMismatch, Always'],
  [/\/seccompProfile\/type$/, one('RuntimeDefault', 'Localhost', 'Unconfined'), 'RuntimeDefault, Localhost, Unconfined'],
  [/\/fieldPath$/, one('metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName', 'status.podIP', 'status.hostIP'), 'metadata.name, ...'],
  [/\/(mountPath|httpGet\/path|paths\[\]\/path)$/, text(/^\/[^:]*$/), 'begins with /'],
  [/\/metrics\[\]\/type$/, one('Resource', 'Pods', 'Object', 'External', 'ContainerResource'), 'Resource, Pods, Object, External, ContainerResource'],
  [/\/metrics\[\].*\/target\/type$/, one('Utilization', 'Value', 'AverageValue'), 'Utilization, Value, AverageValue'],
  [/\/policies\[\]\/type$/, one('Pods', 'Percent'), 'Pods, Percent'],
  [/\/selectPolicy$/, one('Max', 'Min', 'Disabled'), 'Max, Min, Disabled'],
  [/\/stabilizationWindowSeconds$/, whole(0, 3600), '0 to 3600 s'],
  [/\/policies\[\]\/periodSeconds$/, whole(1, 1800), '1 to 1800 s'],
  [/\/(periodSeconds|timeoutSeconds|failureThreshold|averageUtilization|maxSkew|minReplicas|maxReplicas|policies\[\]\/value)$/, whole(1), 'at least 1'],
  [/\/(minReadySeconds|terminationGracePeriodSeconds|revisionHistoryLimit|replicas|initialDelaySeconds|sleep\/seconds)$/, whole(0), 'at least 0'],
]

/** `Kind name: /where: 'value' is none; allowed: ...` */
export function valueFaults(objects: readonly Manifest[]): string[] {
  return objects.flatMap((object) => [...leaves(object, object.kind)].flatMap(([where, value]) => refused(titleOf(object), where, value)))
}

function refused(title: string, where: string, value: unknown): string[] {
  const rule = VALUES.find(([pattern]) => pattern.test(where))
  return rule && !rule[1](value) ? [`${title}: ${where.slice(where.indexOf('/'))}: '${String(value)}' is none; allowed: ${rule[2]}`] : []
}

/** Every value with where it stands, and the keys of maps of a user's own as `{key}` beside them. Free text has no inside: a dashboard is one value. */
function* leaves(value: unknown, where: string): Generator<[where: string, value: unknown]> {
  if (Array.isArray(value)) {
    for (const item of value) yield* leaves(item, `${where}[]`)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield [`${where}/{key}`, key]
      yield* leaves(inner, `${where}/${key}`)
    }
  } else {
    yield [where, value]
  }
}
