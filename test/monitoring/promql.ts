/** What an expression of PromQL names, by Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql'

export interface Used {
  /** Names of series. */
  series: string[]
  /** Labels of a selector, by its series; `by`, `without` and `on` count for every series of the expression that they are applied to. */
  labels: { series: readonly string[]; label: string }[]
}

type Node = ReturnType<typeof parser.parse>['topNode']

/** Grafana's durations and choices, as something that PromQL knows. */
export function plainPromql(expression: string): string {
  return expression.replaceAll('$__rate_interval', '5m')
}

/** Throws where the grammar finds a fault. */
export function readPromql(expression: string): Used {
  const text = plainPromql(expression)
  const textOf = (node: Node) => text.slice(node.from, node.to)
  const used: Used = { series: [], labels: [] }
  parser.parse(text).iterate({
    enter({ node }) {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`)
      if (node.name === 'VectorSelector') {
        const [series] = namesIn(node, 'Identifier', textOf)
        used.series.push(series!)
        for (const label of namesIn(node, 'LabelName', textOf)) used.labels.push({ series: [series!], label })
      }
      if (node.name === 'GroupingLabels') {
        const whole = node.parent!.parent!
        const series = within(whole, 'VectorSelector').flatMap((selector) => namesIn(selector, 'Identifier', textOf))
        for (const label of namesIn(node, 'LabelName', textOf)) used.labels.push({ series, label })
      }
    },
  })
  if (used.series.length === 0) throw new Error(`no series in: ${text}`)
  return used
}

function namesIn(node: Node, kind: string, textOf: (node: Node) => string): string[] {
  return within(node, kind).map(textOf)
}

function within(node: Node, kind: string): Node[] {
  const found: Node[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name === kind) found.push(child)
    found.push(...within(child, kind))
  }
  return found
}
