/**
 * `node scripts/monitoring.mjs [--check]`: writes what is derived under `k8s/monitoring`: the operator's `alerts.yaml` of the plain
 * `rules.yaml`, and the Grafana dashboard of its table of panels. With `--check` it only compares; a test does.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { grafanaDashboard } from './monitoring/dashboard.mjs'
import { ROOT } from './step.mjs'

const folder = join(ROOT, 'k8s/monitoring')

const HEAD = `# Written by \`node scripts/monitoring.mjs\` from rules.yaml: change that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: hubbub
  labels:
    app.kubernetes.io/name: hubbub
    app.kubernetes.io/component: monitoring
spec:
`

const derived = {
  'alerts.yaml': () => HEAD + readFileSync(join(folder, 'rules.yaml'), 'utf8').replace(/^(#.*\n)+/, '').replaceAll(/^(?=.)/gm, '  '),
  'grafana-dashboard.json': () => `${JSON.stringify(grafanaDashboard(), null, 2)}\n`,
}

const isCheck = process.argv.includes('--check')
const stale = []
for (const [name, text] of Object.entries(derived)) {
  const path = join(folder, name)
  if (isCheck && read(path) !== text()) stale.push(name)
  if (!isCheck) writeFileSync(path, text())
}
if (stale.length > 0) console.error(`k8s/monitoring: ${stale.join(', ')} not as its source has it: node scripts/monitoring.mjs`)
process.exitCode = stale.length > 0 ? 1 : 0

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
