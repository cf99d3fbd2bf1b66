/** What became of the inputs, gateway by gateway; and what should not have happened. */

export interface Finding {
  gateway: string
  what: string
  /** With which the input is made again, where there is one. */
  seed?: number
  input?: string
}

/** More are one fault over and over; and so many of one kind, which begin alike. */
const MOST_FINDINGS = 50
const MOST_ALIKE = 3
const ALIKE = 60

export class Outcomes {
  readonly findings: Finding[] = []
  inputs = 0
  private readonly kinds = new Map<string, number>()
  private readonly counts = new Map<string, Map<string, number>>()

  count(gateway: string, outcome: string, times = 1): void {
    this.inputs += times
    const codes = this.counts.get(gateway) ?? new Map<string, number>()
    codes.set(outcome, (codes.get(outcome) ?? 0) + times)
    this.counts.set(gateway, codes)
  }

  find(finding: Finding): void {
    const kind = `${finding.gateway} ${finding.what.slice(0, ALIKE)}`
    const before = this.kinds.get(kind) ?? 0
    this.kinds.set(kind, before + 1)
    if (before < MOST_ALIKE && this.findings.length < MOST_FINDINGS) this.findings.push(finding)
  }

  of(gateway: string): ReadonlyMap<string, number> {
    return this.counts.get(gateway) ?? new Map()
  }

  /** As markdown: a line a gateway, refusals by code, the most frequent first. */
  table(): string {
    const lines = [...this.counts].map(([gateway, codes]) => {
      const all = [...codes.values()].reduce((sum, count) => sum + count, 0)
      const rest = [...codes].filter(([code]) => code !== 'accepted').sort(([, a], [, b]) => b - a)
      return `| ${gateway} | ${number(all)} | ${number(codes.get('accepted') ?? 0)} | ${rest.map(([code, count]) => `${code} ${number(count)}`).join(', ') || '—'} |`
    })
    return ['| gateway | inputs | accepted | refused, by code |', '| --- | ---: | ---: | --- |', ...lines, `| all | ${number(this.inputs)} | ${number(this.sumOf('accepted'))} | |`].join('\n')
  }

  private sumOf(outcome: string): number {
    return [...this.counts.values()].reduce((sum, codes) => sum + (codes.get(outcome) ?? 0), 0)
  }
}

export function number(value: number): string {
  return value.toLocaleString('en-US')
}
