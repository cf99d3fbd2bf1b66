/**
 * Lets only so many do something at a time, the others in the order in which they came; who finds too many waiting is refused. Of one
 * project at most a quarter waits: whoever asks without end keeps out his own, and nobody else's.
 */
import { HubError } from '@hubbub/protocol'

export class Turns {
  private taken = 0
  private readonly waiting: { project: string; go: () => void }[] = []

  constructor(private readonly most: number, private readonly mostWaiting: number) {}

  /** Rejects with UNAVAILABLE, or as `act` does. */
  async take<T>(project: string, act: () => Promise<T>): Promise<T> {
    if (this.taken >= this.most) {
      const own = this.waiting.filter((one) => one.project === project).length
      if (this.waiting.length >= this.mostWaiting || own >= this.mostWaiting / 4) throw new HubError('UNAVAILABLE', 'This worker looks for as many events as it may.')
      // Whoever ends hands the turn on: nobody who comes meanwhile gets before.
      await new Promise<void>((go) => this.waiting.push({ project, go }))
    } else {
      this.taken++
    }
    try {
      return await act()
    } finally {
      const next = this.waiting.shift()
      if (next) next.go()
      else this.taken--
    }
  }
}
