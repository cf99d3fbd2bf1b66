import { parse, render, renderWith, type Manifest } from './manifests.js'
import { verdict } from './verdict.js'

/** Of what is planted here, one release of Kubernetes is enough. */
const RELEASE = ['1.34'] as const

const whole = renderWith('overlays/production', { components: ['keda', 'gateway', 'traefik', 'monitoring', 'metrics-key'] })
const plain = render('k8s/overlays/production')
const small = render('k8s/overlays/dev')

type Plant = [mistake: string, text: string, from: string | RegExp, to: string, complaint: string]

const FIELDS: Plant[] = [
  ['a misspelt probe', plain, 'readinessProbe:', 'readinesProbe:', 'must NOT have additional properties (readinesProbe)'],
  ['a misspelt field of a pod', plain, 'terminationGracePeriodSeconds:', 'terminationGracePeriodSecond:', '(terminationGracePeriodSecond)'],
  ['a misspelt field of a Service', plain, 'sessionAffinityConfig:', 'sessionAffinityConfiguration:', '(sessionAffinityConfiguration)'],
  ['a misspelt field of an autoscaler', plain, 'averageUtilization:', 'averageUtilisation:', '(averageUtilisation)'],
  ['a misspelt field of a policy', plain, 'policyTypes:', 'policyType:', '(policyType)'],
  ['a misspelt field of a volume claim', small, 'accessModes:', 'accessMode:', '(accessMode)'],
  ['text where a number belongs', plain, 'minReadySeconds: 5', 'minReadySeconds: "5"', 'minReadySeconds: must be'],
  ['a number where text belongs', plain, 'HUBBUB_PORT: "4000"', 'HUBBUB_PORT: 4000', 'HUBBUB_PORT: must be string'],
  ['a version that is gone', plain, 'autoscaling/v2', 'autoscaling/v2beta2', 'has no HorizontalPodAutoscaler of autoscaling/v2beta2'],
  ['a field that is not of the standard channel', whole, 'timeouts:', 'sessionPersistence: {}\n    timeouts:', '(sessionPersistence)'],
  ['a misspelt field of a route', whole, 'backendRefs:', 'backendRef:', '(backendRef)'],
  ['a misspelt field of KEDA', whole, 'pollingInterval:', 'pollInterval:', '(pollInterval)'],
  ['a misspelt word of a KEDA scaler', whole, 'serverAddress:', 'serverAdress:', '(serverAdress)'],
  ['a misspelt field of a PodMonitor', whole, 'scrapeTimeout:', 'scrapeTimout:', '(scrapeTimout)'],
  ['a misspelt field of an alert', whole, 'severity: critical\n', 'severity: critical\n      label: x\n', '(label)'],
]

const LINKS: Plant[] = [
  ['a Service that selects nothing', plain, /(kind: Service\n(?:.*\n)*? {2}selector:\n) {4}app.kubernetes.io\/component: worker/, '$1    app.kubernetes.io/component: workers', 'Service hubbub: its selector matches no pod'],
  ['a Deployment that selects other pods', plain, /( {2}selector:\n {4}matchLabels:\n) {6}app.kubernetes.io\/component: worker/, '$1      app.kubernetes.io/component: wrkr', 'Deployment hubbub-worker: its selector does not match its own pods'],
  ['a Service port that leads nowhere', plain, 'targetPort: http', 'targetPort: htpp', 'Service hubbub: Deployment hubbub-worker has no port htpp'],
  ['a probe of a port that is not there', plain, 'port: http\n', 'port: web\n', 'a probe asks port web, which it does not have'],
  ['an autoscaler of nothing', plain, /(scaleTargetRef:\n(?:.*\n)*? {4}name:) hubbub-worker/, '$1 hubbub-workers', 'there is no Deployment hubbub-workers of apps/v1'],
  ['a scaler of KEDA of nothing', whole, /(scaleTargetRef:\n(?:.*\n)*? {4}name:) hubbub-processor/, '$1 processor', 'ScaledObject hubbub-processor: there is no Deployment processor of apps/v1'],
  ['a budget that selects nothing', plain, /(kind: PodDisruptionBudget\n(?:.*\n)*?spec:\n(?:.*\n)*?)( +)app.kubernetes.io\/component: processor/, '$1$2app.kubernetes.io/component: procesor', 'PodDisruptionBudget hubbub-processor: its selector matches no pod'],
  ['a policy that selects nothing', plain, /(name: hubbub-nothing\n(?:.*\n)*?)( +)app.kubernetes.io\/part-of: hubbub/, '$1$2app.kubernetes.io/part-of: hubub', 'NetworkPolicy hubbub-nothing: its selector matches no pod'],
  ['a policy for a peer that is not there', small, /(from:\n +- podSelector:\n +matchLabels:\n +app.kubernetes.io\/name:) hubbub/, '$1 hub', 'NetworkPolicy hubbub-redis, a peer: its selector matches no pod'],
  ['a policy for a port that is not there', plain, 'port: 4000', 'port: 4001', 'has no port 4001'],
  ['a topology spread over other pods', plain, /(topologySpreadConstraints:\n(?:.*\n)*?)( +)app.kubernetes.io\/name: hubbub/, '$1$2app.kubernetes.io/name: hub', 'a topology spread does not match its own pods'],
  ['a ConfigMap that is not there', plain, /(configMapRef:\n +name:) hubbub-settings-\w+/, '$1 hubbub-setting', 'there is no ConfigMap hubbub-setting'],
  ['a Secret that nobody is told to make', plain, 'secretName: hubbub-redis-ca', 'secretName: redis-ca', 'there is no Secret redis-ca'],
  ['a key that the Secret has not', small, 'key: REDIS_PASSWORD', 'key: PASSWORD', ' has no key PASSWORD'],
  ['a volume that is not there', plain, /(volumeMounts:\n(?:.*\n)*? +name:) redis-ca/, '$1 redis-certificate', 'there is no volume redis-certificate'],
  ['a service account that is not there', plain, 'serviceAccountName: hubbub', 'serviceAccountName: hub', 'there is no ServiceAccount hub'],
  ['an Ingress to a port that is not there', whole, /(kind: Ingress\n(?:.*\n)*? +port:\n +name:) http/, '$1 https', 'Ingress hubbub: Service hubbub has no port https'],
  ['a route to a Service that is not there', whole, /(kind: Service\n +name:) hubbub\n/, '$1 hub\n', 'HTTPRoute hubbub: there is no Service hub'],
  ['a PodMonitor of a port that is not there', whole, /(podMetricsEndpoints:\n(?:.*\n)*? +port:) http/, '$1 metrics', 'PodMonitor hubbub: Deployment hubbub-processor has no port metrics'],
]

const RUNNING: Plant[] = [
  ['a setting that there is not', plain, 'HUBBUB_DRAIN_MS:', 'HUBBUB_DRIAN_MS:', 'there is no setting HUBBUB_DRIAN_MS'],
  ['a value that the hub refuses', plain, 'HUBBUB_METRICS: admin', 'HUBBUB_METRICS: closed', 'HUBBUB_METRICS: \'closed\' is not allowed'],
  ['a port that nobody listens on', plain, 'HUBBUB_PORT: "4000"', 'HUBBUB_PORT: "4100"', 'listens on 4100, which is not its port http'],
  ['a drain that the kill interrupts', plain, 'HUBBUB_DRAIN_MS: "45000"', 'HUBBUB_DRAIN_MS: "56000"', 'are more than its grace period of 60 s'],
  ['a pause that eats the grace period up', plain, 'seconds: 5', 'seconds: 15', 'preStop (15 s), HUBBUB_DRAIN_MS (45000 ms) and 5 s are more than its grace period of 60 s'],
  ['a file that is mounted nowhere', plain, 'HUBBUB_REDIS_CA_FILE: /etc/', 'HUBBUB_REDIS_CA_FILE: /run/', 'is mounted nowhere'],
  ['a variable that comes too late', small, /- name: REDIS_PASSWORD\n/, '- name: REDIS_PASS\n', 'REDIS_URL names $(REDIS_PASSWORD), which does not stand before it'],
  ['an affinity shorter than a session', plain, 'timeoutSeconds: 10800', 'timeoutSeconds: 600', 'Service hubbub: long-polling clients do not stay on their worker'],
  ['more processors than partitions', plain, 'maxReplicas: 8', 'maxReplicas: 16', 'up to 16, and there are 8 partitions'],
  ['replicas beside an autoscaler', plain, 'minReadySeconds: 5', 'minReadySeconds: 5\n  replicas: 3', 'an apply sets the autoscaler\'s replicas back'],
  ['Service links, which are settings', plain, 'enableServiceLinks: false', 'enableServiceLinks: true', 'is told of Services by variables that are settings'],
  ['root', plain, /(runAsNonRoot: true\n +runAsUser:) 10001/, '$1 0', 'may run as root'],
  ['capabilities', plain, '- ALL', '- NET_RAW', 'keeps capabilities'],
  ['an image that may be written to', plain, 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', 'may write to its image'],
  ['a token of the API server', plain, / {6}automountServiceAccountToken: false/, '      automountServiceAccountToken: true', 'is given a token of the API server'],
  ['a container without a limit of memory', plain, /limits:\n +memory: \w+/, 'limits: {}', 'has no limit of memory'],
  ['an image without a version', plain, 'hubbub:0.1.0', 'hubbub:latest', 'has an image without a version'],
  ['a liveness that depends on Redis', plain, /(livenessProbe:\n(?:.*\n)*? +path: \/health\/)live/, '$1ready', 'would be killed for what its store does'],
  ['a budget that blocks a drain', plain, 'maxUnavailable: 1\n', 'minAvailable: 1\n', 'has a disruption budget that may let no node be drained'],
  ['a rollout that takes before it gives', plain, 'maxUnavailable: 0', 'maxUnavailable: 1', 'loses pods in a rollout before there are others'],
  ['a secret in the repository', small, /\n +hubbub\/warning: .*/, '', 'stands in the repository, and does not say that it is for development only'],
]

const external = renderWith('overlays/production', { components: ['external-metrics'] })

/** What the schemas let pass: words, quantities and numbers that are none. */
const VALUES: Plant[] = [
  ['a word that is none: whether an image is fetched', plain, 'imagePullPolicy: IfNotPresent', 'imagePullPolicy: IfNotpresent', '\'IfNotpresent\' is none'],
  ['a word that is none: a protocol', plain, 'protocol: TCP', 'protocol: tcp', '\'tcp\' is none'],
  ['a word that is none: a kind of path', whole, 'pathType: Prefix', 'pathType: prefix', '\'prefix\' is none'],
  ['a word that is none: who may be evicted', plain, 'unhealthyPodEvictionPolicy: AlwaysAllow', 'unhealthyPodEvictionPolicy: Always', '\'Always\' is none'],
  ['a word that is none: how a volume is held', small, '- ReadWriteOnce', '- ReadWriteOnc', '\'ReadWriteOnc\' is none'],
  ['a word that is none: how fast is scaled', plain, 'selectPolicy: Max', 'selectPolicy: Maximum', '\'Maximum\' is none'],
  ['a quantity that is none', plain, 'memory: 2Gi', 'memory: 2GB', '\'2GB\' is none; allowed: bytes'],
  ['CPUs that are none', plain, 'cpu: "1"', 'cpu: 1c', '\'1c\' is none; allowed: CPUs'],
  ['a probe without a period', plain, 'periodSeconds: 2\n', 'periodSeconds: 0\n', 'periodSeconds: \'0\' is none'],
  ['a spread over a label that no node has', plain, 'topologyKey: kubernetes.io/hostname', 'topologyKey: kubernetes.io/host', 'allowed: a label that nodes have'],
  ['a spread by a label that no pod has', plain, '- pod-template-hash', '- pod-template-hsh', 'allowed: pod-template-hash'],
  ['a stabilization longer than there is', plain, 'stabilizationWindowSeconds: 600', 'stabilizationWindowSeconds: 7200', 'allowed: 0 to 3600 s'],
  ['an affinity longer than there is', plain, 'timeoutSeconds: 10800', 'timeoutSeconds: 108000', 'allowed: 1 to 86400 s'],
  ['a field of the pod that there is not', plain, 'fieldPath: metadata.name', 'fieldPath: metadata.nam', '\'metadata.nam\' is none'],
  ['a name with what no name has', plain, 'name: hubbub-to-redis', 'name: hubbub_to_redis', '\'hubbub_to_redis\' is none'],
  ['a port\'s name that is too long', plain, /name: http\n( +)protocol/, 'name: http-of-the-hub-itself\n$1protocol', '\'http-of-the-hub-itself\' is none'],
  ['a label\'s value with what none has', plain, 'app.kubernetes.io/component: worker', 'app.kubernetes.io/component: "the worker"', '\'the worker\' is none'],
  ['a secret that is not encoded', small, /REDIS_PASSWORD: \S+/, 'REDIS_PASSWORD: not-base64!', 'REDIS_PASSWORD: \'not-base64!\' is none'],
  ['a number in a variable', plain, 'value: worker', 'value: 5', 'value: must be string'],
  ['a truth in an annotation', whole, 'service.sticky.cookie: "true"', 'service.sticky.cookie: true', 'must be string'],
]

/** What the schemas let pass: fields that contradict each other. */
const RELATIONS: Plant[] = [
  ['a variable twice', plain, /(\n +)- name: HUBBUB_ROLE\n +value: worker/, '$&$1- name: HUBBUB_ROLE$1  value: worker', 'the variable HUBBUB_ROLE is there twice'],
  ['a port\'s name twice', plain, /(\n +)- containerPort: 4000/, '$1- containerPort: 4001$1  name: http$&', 'the port http is there twice'],
  ['two volumes in one folder', small, 'mountPath: /data', 'mountPath: /etc/hubbub-redis', 'the folder /etc/hubbub-redis is there twice'],
  ['a container\'s name twice', small, 'name: wait-for-redis', 'name: hub', 'the container hub is there twice'],
  ['more requested than allowed', plain, /(cpu: "1"\n +memory:) 1Gi/, '$1 4Gi', 'requests 4Gi of memory and is limited to 2Gi'],
  ['fewer at most than at least', plain, 'maxReplicas: 20', 'maxReplicas: 2', 'at least 3 and at most 2'],
  ['a metric of another type', plain, 'type: Resource', 'type: Pods', 'a metric of the type Pods does not say which'],
  ['a target of another type', external, 'type: Utilization', 'type: AverageValue', 'has no averageValue'],
  ['a budget of two kinds', plain, 'maxUnavailable: 1\n', 'maxUnavailable: 1\n  minAvailable: 1\n', 'both minAvailable and maxUnavailable'],
  ['addresses that are none', plain, 'cidr: 0.0.0.0/0', 'cidr: 0.0.0.0', '0.0.0.0 is no range of addresses'],
  ['an exception from what is not allowed anyway', plain, '- 10.0.0.0/8', '- fd00::/8', 'fd00::/8 is not within 0.0.0.0/0'],
  ['an autoscaler of another kind', plain, /(scaleTargetRef:\n +apiVersion: apps\/v1\n +kind:) Deployment/, '$1 StatefulSet', 'there is no StatefulSet hubbub-processor'],
  ['a word of KEDA that is gone', whole, 'threshold: "1000"', 'threshold: "1000"\n      metricName: lag', '(metricName)'],
  ['a route to a pod\'s port instead of the Service\'s', whole, /(backendRefs:\n(?:.*\n)*? +port:) 80/, '$1 4000', 'Service hubbub has no port 4000'],
  ['a route to what is no Service', whole, /(backendRefs:\n(?:.*\n)*? +kind:) Service/, '$1 Pod', 'leads to a Pod of \'\', not to a Service'],
  ['a namespace', plain, /(kind: Service\nmetadata:\n)/, '$1  namespace: default\n', 'goes to the namespace default'],
  ['a scrape under another name than the alerts know', whole, 'jobLabel: app.kubernetes.io/name', 'jobLabel: app', 'jobLabel does not make Deployment hubbub-processor the job hubbub'],
  ['names by TCP only', plain, 'protocol: UDP', 'protocol: SCTP', 'no policy lets it look names up'],
  ['a Redis that no policy lets the hub go to', plain, 'port: 6380', 'port: 6381', 'no policy lets it go to its Redis at redis.example:6380'],
]

describe('a mistake planted in the manifests is refused:', () => {
  test('without one nothing is', () => {
    for (const text of [plain, small, external]) expect(verdict(parse(text), RELEASE)).toEqual([])
    // Two front doors and two kinds of monitoring at once, but nothing wrong in itself.
    expect(verdict(parse(whole), RELEASE)).toEqual([])
  })

  test.each([...FIELDS, ...LINKS, ...RUNNING, ...VALUES, ...RELATIONS])('%s', (_mistake, text, from, to, complaint) => {
    const planted = text.replace(from, to)
    expect(planted).not.toBe(text)
    expect(verdict(parse(planted), RELEASE).join('\n')).toContain(complaint)
  })

  test('two autoscalers of one Deployment', () => {
    const objects = parse(plain)
    const scaler = objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler')!
    const second: Manifest = { ...scaler, metadata: { ...scaler.metadata, name: 'another' } }
    expect(verdict([...objects, second], RELEASE)).toEqual([expect.stringContaining('2 autoscalers quarrel over it')])
  })

  test('a pod that no policy closes', () => {
    const open = parse(plain).filter(({ metadata }) => !['hubbub-nothing', 'hubbub-names', 'hubbub-to-redis'].includes(metadata.name))
    expect(verdict(open, RELEASE)).toContain('Deployment hubbub-processor: no policy closes its egress')
  })

  test('a misspelt field in a user\'s own patch, rendered by kustomize', () => {
    const more = ['patches:', '  - target: { kind: Deployment, name: hubbub-worker }', '    patch: |', '      - op: add', '        path: /spec/template/spec/hostAlias', '        value: []', ''].join('\n')
    expect(verdict(parse(renderWith('overlays/dev', { more })), RELEASE)).toEqual([expect.stringContaining('(hostAlias)')])
  })

  test('metrics that ask for a credential, and a scrape that has none', () => {
    const without = parse(renderWith('overlays/production', { components: ['monitoring'] }))
    expect(verdict(without, RELEASE)).toContain('PodMonitor hubbub: comes without a credential, and Deployment hubbub-worker wants an admin\'s')
    // In the other order the credential would be given to nothing: kustomize says so.
    expect(() => renderWith('overlays/production', { components: ['metrics-key', 'monitoring'] })).toThrow('PodMonitor')
  })

  test('a kind that nobody has a schema of', () => {
    const stranger: Manifest = { apiVersion: 'example.com/v1', kind: 'Stranger', metadata: { name: 'x' } }
    expect(verdict([...parse(plain), stranger], RELEASE)).toEqual([expect.stringContaining('has no Stranger of example.com/v1')])
  })
})
