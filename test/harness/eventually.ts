/** Resolves with the first truthy answer of `probe`; rejects with its last error, or `what`, at the deadline. */
export async function eventually<T>(probe: () => T | Promise<T>, what = 'the condition', deadlineMs = 10_000, everyMs = 20): Promise<Exclude<T, false | null | undefined>> {
  const until = Date.now() + deadlineMs
  for (;;) {
    let failure: unknown
    try {
      const answer = await probe()
      if (answer) return answer as Exclude<T, false | null | undefined>
    } catch (error) {
      failure = error
    }
    if (Date.now() > until) throw new Error(`${what} did not come true within ${deadlineMs} ms`, { cause: failure })
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
