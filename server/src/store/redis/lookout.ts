/** Asks a question again and again, and at once when somebody doubts the last answer; never twice at a time. */
export class Lookout {
  private asking?: Promise<void>
  private readonly timer: NodeJS.Timeout

  constructor(private readonly ask: () => Promise<void>, everyMs: number) {
    // What fails is asked again by whoever needs the answer, and told there.
    this.timer = setInterval(() => void this.look().catch(() => undefined), everyMs).unref()
  }

  /** Of a question that is under way the answer counts. */
  look(): Promise<void> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined))
    return this.asking
  }

  close(): void {
    clearInterval(this.timer)
  }
}
