/** Lets only so many do something at a time, the others in the order in which they came; who finds too many waiting is refused. */
import { HubError } from '@hubbub/protocol'

export class Turns {
  private taken = 0
  private readonly waiting: (() => void)[] = []

  constructor(private readonly most: number, private readonly mostWaiting: number) {}

  /** Rejects with UNAVAILABLE, or as `act` does. */
  async take<T>(act: () => Promise<T>): Promise<T> {
    if (this.taken >= this.most) {
      if (this.waiting.length >= this.mostWaiting) throw new HubError('UNAVAILABLE', 'This worker looks for as many events as it may.')
      // Whoever ends hands the turn on: nobody who comes meanwhile gets before.
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    } else {
      this.taken++
    }
    try {
      return await act()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.taken--
    }
  }
}
