/** From the table of panels to what Grafana imports: its dashboard schema, with a choice of data source, job and processes. */
import { ROWS } from './panels.mjs'

/** Grafana's own version of this form; later ones read it. */
const SCHEMA = 41
const SOURCE = { type: 'prometheus', uid: '${datasource}' }
const CHOICE = 'job=~"$job",instance=~"$instance"'
const HEIGHT = { stat: 4, timeseries: 8 }
/** Of 24 columns. */
const PAGE = 24

export function grafanaDashboard() {
  return {
    uid: 'hubbub', title: 'Hubbub', description: 'A hub: traffic, latency, partitions, connections, errors. Written by scripts/monitoring.mjs.', tags: ['hubbub'],
    schemaVersion: SCHEMA, version: 1, editable: true, graphTooltip: 1, refresh: '30s', time: { from: 'now-1h', to: 'now' }, timezone: 'browser', annotations: { list: [alertsAsAnnotations()] }, links: [],
    templating: { list: variables() },
    panels: panels(),
  }
}

function panels() {
  const laid = []
  let y = 0
  for (const [title, row] of ROWS) {
    laid.push({ id: laid.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: PAGE, h: 1 }, panels: [] })
    y++
    let x = 0
    for (const panel of row) {
      const type = panel.kind ?? 'timeseries'
      if (x + panel.width > PAGE) {
        x = 0
        y += HEIGHT[type]
      }
      laid.push({ id: laid.length + 1, type, gridPos: { x, y, w: panel.width, h: HEIGHT[type] }, ...contents(panel, type) })
      x += panel.width
    }
    y += HEIGHT[row.at(-1).kind ?? 'timeseries']
  }
  return laid
}

function contents({ title, about, unit, of, alarm }, type) {
  const thresholds = { mode: 'absolute', steps: [{ color: 'green', value: null }, ...(alarm === undefined ? [] : [{ color: 'red', value: alarm }])] }
  const custom = { drawStyle: 'line', fillOpacity: 8, lineWidth: 1, showPoints: 'never', spanNulls: false }
  return {
    title, ...(about && { description: about }), datasource: SOURCE,
    targets: of.map(([expr, legendFormat], place) => ({ refId: String.fromCharCode(65 + place), datasource: SOURCE, editorMode: 'code', expr: expr.replaceAll('{@', `{${CHOICE}`), legendFormat, range: true, ...(type === 'stat' && { instant: false }) })),
    fieldConfig: { defaults: { unit, min: 0, thresholds, ...(type === 'timeseries' && { color: { mode: 'palette-classic' }, custom }) }, overrides: [] },
    options: type === 'stat'
      ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: alarm === undefined ? 'none' : 'background', graphMode: 'area', textMode: 'value', justifyMode: 'auto', orientation: 'auto' }
      : { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] }, tooltip: { mode: 'multi', sort: 'desc' } },
  }
}

function variables() {
  const ofInfo = (name, label, query) => ({
    name, label, type: 'query', datasource: SOURCE, definition: query, query: { query, refId: name }, refresh: 2, sort: 1, multi: true, includeAll: true, allValue: '.*', current: { text: ['All'], value: ['$__all'] },
  })
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, refresh: 1 },
    ofInfo('job', 'Job', 'label_values(hubbub_info, job)'),
    ofInfo('instance', 'Process', 'label_values(hubbub_info{job=~"$job"}, instance)'),
  ]
}

function alertsAsAnnotations() {
  return {
    name: 'Alerts', datasource: SOURCE, enable: true, iconColor: 'red', expr: 'ALERTS{alertname=~"Hubbub.*",alertstate="firing"}', titleFormat: '{{alertname}}', textFormat: '{{instance}} {{partition}} {{code}}', step: '60s',
  }
}
