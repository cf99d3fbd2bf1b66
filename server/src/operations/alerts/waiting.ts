/** Judgements that must hold for their time before they count: a figure that is over its limit for one look is no alert yet. */
import { nameOf, type Judgement } from './book.js'

export class Waiting {
  /** Since when, by name; ms by the store's clock. */
  private readonly since = new Map<string, number>()

  /** They begin anew: somebody else kept watch meanwhile, or nobody did. */
  forget(): void {
    this.since.clear()
  }

  /** The same judgements; what fires, but not yet for its time, as unchanged. `since` is filled in. */
  tried(judgements: readonly Judgement[], now: number): Judgement[] {
    const firing = new Set(judgements.filter(({ verdict }) => verdict === 'firing').map(nameOf))
    // Also what is judged no more: processes come and go for as long as a watch lasts.
    for (const name of this.since.keys()) if (!firing.has(name)) this.since.delete(name)
    return judgements.map((judgement) => {
      if (judgement.verdict !== 'firing') return judgement
      const name = nameOf(judgement)
      const since = this.since.get(name) ?? now
      this.since.set(name, since)
      return now - since >= (judgement.forMs ?? 0) ? { ...judgement, since: judgement.since ?? since } : { ...judgement, verdict: 'unchanged' }
    })
  }
}
