/**
 * Strict schemas of the objects that are not Kubernetes' own: only what the manifests use of them, so narrower than their definitions.
 * HTTPRoute is that of the Gateway API's standard channel, 1.2 or later: no `sessionPersistence`, no filters that only some know.
 */

type Schema = Record<string, unknown>

const text: Schema = { type: 'string', minLength: 1 }
const whole: Schema = { type: 'integer', minimum: 0 }
const port: Schema = { type: 'integer', minimum: 1, maximum: 65535 }
const texts: Schema = { type: 'object', additionalProperties: { type: 'string' } }
const list = (items: Schema, minItems = 1): Schema => ({ type: 'array', items, minItems })
const one = (...of: string[]): Schema => ({ enum: of })
/** Only these fields; those named in `required` must be there. */
const only = (properties: Record<string, Schema>, ...required: string[]): Schema => ({ type: 'object', properties, required, additionalProperties: false })

const metadata = only({ name: { ...text, pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' }, namespace: text, labels: texts, annotations: texts }, 'name')

function extension(apiVersion: string, kind: string, spec: Schema): [string, Schema & { $id: string }] {
  const $id = `https://hubbub.example/${apiVersion}/${kind}`
  return [`${apiVersion} ${kind}`, { $id, ...only({ apiVersion: one(apiVersion), kind: one(kind), metadata, spec }, 'apiVersion', 'kind', 'metadata', 'spec') }]
}

const duration: Schema = { type: 'string', pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' }
const prometheusDuration: Schema = { type: 'string', pattern: '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$' }

const HTTP_ROUTE = only(
  {
    parentRefs: list(only({ group: text, kind: text, namespace: text, name: text, sectionName: text, port }, 'name')),
    hostnames: list({ ...text, pattern: '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$' }),
    rules: list(
      only({
        matches: list(only({ path: only({ type: one('Exact', 'PathPrefix', 'RegularExpression'), value: { ...text, pattern: '^/' } }), method: text }), 0),
        backendRefs: list(only({ group: { type: 'string' }, kind: text, namespace: text, name: text, port, weight: whole }, 'name', 'port')),
        timeouts: only({ request: duration, backendRequest: duration }),
      }),
    ),
  },
  'parentRefs',
  'rules',
)

const policies = only({
  stabilizationWindowSeconds: { type: 'integer', minimum: 0, maximum: 3600 },
  selectPolicy: one('Max', 'Min', 'Disabled'),
  policies: list(only({ type: one('Pods', 'Percent'), value: whole, periodSeconds: { type: 'integer', minimum: 1, maximum: 1800 } }, 'type', 'value', 'periodSeconds')),
})

/** KEDA itself takes any key of a trigger's metadata, and ignores those that its scaler does not know. */
const trigger = (type: string, keys: Record<string, Schema>, ...required: string[]): Schema =>
  only({ type: one(type), name: text, metricType: one('AverageValue', 'Value', 'Utilization'), metadata: only(keys, ...required), authenticationRef: only({ name: text, kind: text }, 'name') }, 'type', 'metadata')

const figure: Schema = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' }
const yesOrNo = one('true', 'false')

const SCALED_OBJECT = only(
  {
    scaleTargetRef: only({ apiVersion: text, kind: text, name: text }, 'name'),
    pollingInterval: whole,
    cooldownPeriod: whole,
    minReplicaCount: whole,
    maxReplicaCount: whole,
    advanced: only({ horizontalPodAutoscalerConfig: only({ name: text, behavior: only({ scaleUp: policies, scaleDown: policies }) }) }),
    triggers: list({
      oneOf: [
        trigger('prometheus', { serverAddress: { ...text, pattern: '^https?://' }, query: text, threshold: figure, activationThreshold: figure, ignoreNullValues: yesOrNo, unsafeSsl: yesOrNo, authModes: text }, 'serverAddress', 'query', 'threshold'),
        trigger('cpu', { value: figure, containerName: text }, 'value'),
      ],
    }),
  },
  'scaleTargetRef',
  'triggers',
)

const POD_MONITOR = only(
  {
    jobLabel: text,
    selector: only({ matchLabels: texts }),
    podMetricsEndpoints: list(
      only({
        port: text,
        path: text,
        interval: prometheusDuration,
        scrapeTimeout: prometheusDuration,
        authorization: only({ type: text, credentials: only({ name: text, key: text }, 'name', 'key') }),
      }),
    ),
  },
  'selector',
  'podMetricsEndpoints',
)

const PROMETHEUS_RULE = only(
  {
    groups: list(
      only(
        {
          name: text,
          interval: prometheusDuration,
          rules: list(only({ alert: text, record: text, expr: { type: ['string', 'integer'] }, for: prometheusDuration, keep_firing_for: prometheusDuration, labels: texts, annotations: texts }, 'expr')),
        },
        'name',
      ),
    ),
  },
  'groups',
)

export const EXTENSIONS: Readonly<Record<string, Schema & { $id: string }>> = Object.fromEntries([
  extension('gateway.networking.k8s.io/v1', 'HTTPRoute', HTTP_ROUTE),
  extension('keda.sh/v1alpha1', 'ScaledObject', SCALED_OBJECT),
  extension('monitoring.coreos.com/v1', 'PodMonitor', POD_MONITOR),
  extension('monitoring.coreos.com/v1', 'PrometheusRule', PROMETHEUS_RULE),
])
