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

describe('a mistake planted in the manifests is refused:', () => {
  test('without one nothing is', () => {
    for (const text of [plain, small]) expect(verdict(parse(text), RELEASE)).toEqual([])
    // Two front doors and two kinds of monitoring at once, but nothing wrong in itself.
    expect(verdict(parse(whole), RELEASE)).toEqual([])
  })

  test.each([...FIELDS, ...LINKS, ...RUNNING])('%s', (_mistake, text, from, to, complaint) => {
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

  test('a kind that nobody has a schema of', () => {
    const stranger: Manifest = { apiVersion: 'example.com/v1', kind: 'Stranger', metadata: { name: 'x' } }
    expect(verdict([...parse(plain), stranger], RELEASE)).toEqual([expect.stringContaining('has no Stranger of example.com/v1')])
  })
})
