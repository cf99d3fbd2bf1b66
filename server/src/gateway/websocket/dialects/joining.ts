/** Subscriptions whose past comes as messages: page after page, then live in one step with the last of them (I2). */
import type { Gap, PlacedEvent, SnapshotResult, SubscribeResult } from '@hubbub/protocol'
import type { Speaker } from '../dialect.js'

/** How a dialect tells what was before the subscription. */
export interface Past {
  snapshot(snapshot: SnapshotResult): void
  gap(gap: Gap): void
  event(placed: PlacedEvent): void
}

export type Joined = SubscribeResult & { subscriptionId: string }

/**
 * Rejects with `HubError`; of a past of several pages some may have been told then.
 * @param joined called in the joining's own step: what it sends stands behind the past and before the first live event
 */
export async function join(speaker: Speaker, request: { since?: unknown }, past: Past, joined: (result: Joined) => void): Promise<void> {
  let asked: object = request
  for (let more = true; more; ) {
    const result = await speaker.request<SubscribeResult>('subscribe', asked, (answer) => {
      if (answer.snapshot) past.snapshot(answer.snapshot)
      if (answer.gap) past.gap(answer.gap)
      for (const placed of answer.events ?? []) past.event(placed)
      if (answer.subscriptionId !== undefined) joined(answer as Joined)
    })
    more = result.more === true
    // Not faster than the client takes it.
    if (more) await speaker.drained()
    // The snapshot came with the first page.
    asked = { ...request, snapshot: undefined, since: result.cursor }
  }
}
