/** The dashboard and the alerts ask for nothing that a hub does not export; and each alert has what a person needs who is called by it. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { declaredMetrics, declaredSeries } from './declared.js'
import { readPromql } from './promql.js'

interface Panel {
  title: string
  type: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string; legendFormat: string; refId: string }[]
  fieldConfig?: { defaults: { unit: string } }
}

const run = promisify(execFile)
const rules = readFileSync('k8s/monitoring/rules.yaml', 'utf8')
const cases = readFileSync('test/monitoring/alerts.test.yaml', 'utf8')
const dashboard = JSON.parse(readFileSync('k8s/monitoring/grafana-dashboard.json', 'utf8')) as { panels: Panel[]; annotations: { list: { expr: string }[] }; templating: { list: { query: unknown }[] } }
const series = declaredSeries()

/** Alerts as the file has them, a field a line; single quotes are doubled in YAML. */
const alerts = rules.split(/^ +- alert: /m).slice(1).map((text) => {
  const field = (name: string) => new RegExp(`^ +${name}: '(.*)'$`, 'm').exec(text)?.[1]?.replaceAll('\'\'', '\'')
  return { name: text.split('\n', 1)[0]!, expr: field('expr')!, wait: /^ +for: (\d+[smh])$/m.exec(text)?.[1], severity: /severity: (\w+)/.exec(text)?.[1], summary: field('summary'), description: field('description'), runbook: field('runbook') }
})
const queries = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })))

/** Series and labels that no hub has. */
function missing(expr: string): string[] {
  const used = readPromql(expr)
  return [
    ...used.series.filter((name) => !series.has(name)),
    ...used.labels.flatMap(({ series: of, label }) => of.filter((name) => series.get(name)?.has(label) === false).map((name) => `${name}{${label}}`)),
  ]
}

describe('the alert rules', () => {
  test('are there in number, and none twice', () => {
    expect(alerts.length).toBeGreaterThan(15)
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length)
    expect(rules.match(/^ +expr:/gm)).toHaveLength(alerts.length)
  })

  test.each(alerts)('$name asks for what a hub exports', ({ expr, summary, description }) => {
    expect(missing(expr)).toEqual([])
    // What its text names must have stayed a label of the result.
    const named = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!)
    const { labels } = readPromql(expr)
    for (const label of named) expect(expr.startsWith('up{') ? ['job', 'instance'] : labels.map((one) => one.label)).toContain(label)
  })

  test.each(alerts)('$name says how bad it is, what it is, and what to do', ({ wait, severity, summary, description, runbook }) => {
    expect(['critical', 'warning', 'info']).toContain(severity)
    expect(wait).toBeDefined()
    for (const text of [summary, description, runbook]) expect(text?.length).toBeGreaterThan(20)
  })

  test.each(alerts)('$name has a case in which it fires', ({ name }) => {
    expect(cases).toContain(`alertname="${name}"`)
  })

  test('and the dashboard are derived from their sources', async () => {
    const { stderr } = await run(process.execPath, ['scripts/monitoring.mjs', '--check'])
    expect(stderr).toBe('')
  })
})

describe('the Grafana dashboard', () => {
  test.each(queries)('$title: $expr', ({ expr, legendFormat }) => {
    expect(missing(expr)).toEqual([])
    const labels = readPromql(expr).series.flatMap((name) => [...series.get(name)!])
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(labels).toContain(label)
    // Every panel follows the choice of processes.
    expect(expr.match(/job=~"\$job",instance=~"\$instance"/g)).toHaveLength(readPromql(expr).series.length)
  })

  test('asks for nothing unknown in its variables and annotations', () => {
    for (const { expr } of dashboard.annotations.list) expect(readPromql(expr).series).toEqual(['ALERTS'])
    const asked = JSON.stringify(dashboard.templating.list.map(({ query }) => query))
    for (const [name] of asked.matchAll(/hubbub_\w+/g)) expect(series.has(name)).toBe(true)
  })

  test('says the unit of each panel, and no two panels lie on each other', () => {
    const cells = new Set<string>()
    for (const { type, fieldConfig, gridPos: { x, y, w, h } } of dashboard.panels) {
      if (type !== 'row') expect(fieldConfig?.defaults.unit).toMatch(/^\w+$/)
      expect(x + w).toBeLessThanOrEqual(24)
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          expect(cells.has(`${column} ${row}`)).toBe(false)
          cells.add(`${column} ${row}`)
        }
      }
    }
  })

  test('shows whatever of ours the hub exports', () => {
    const shown = new Set(queries.flatMap(({ expr }) => readPromql(expr).series.map((name) => name.replace(/_(bucket|sum|count)$/, ''))))
    const unseen = declaredMetrics().map(({ name }) => name).filter((name) => name.startsWith('hubbub_') && !shown.has(name))
    expect(unseen).toEqual(SEEN_ELSEWHERE)
  })
})

/** In other words there already, or told by `hubbub tap --list`. */
const SEEN_ELSEWHERE = ['hubbub_store_up', 'hubbub_workers_alive', 'hubbub_taps']

describe('every metric', () => {
  test.each(declaredMetrics().filter(({ name }) => name.startsWith('hubbub_')))('$name: $help', ({ name, type, help, labelNames }) => {
    expect(help).toMatch(/^[A-Z0-9].*\.$/)
    expect(type === 'counter').toBe(name.endsWith('_total'))
    // Seconds, bytes and entries by name and text; everything else is a number of what the name says.
    if (name.endsWith('_seconds')) expect(help).toMatch(/seconds/)
    // Names of people, projects, connections or events would be as many as there are of them.
    for (const label of labelNames) expect(BOUNDED).toContain(label)
  })
})

/** Labels whose values are a list in the code, or bounded by a setting; `node`, of one series a process. */
const BOUNDED = ['transport', 'family', 'type', 'way', 'code', 'cause', 'reason', 'status', 'partition', 'outcome', 'operation', 'group', 'version', 'role', 'node']
