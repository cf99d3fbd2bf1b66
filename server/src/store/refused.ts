/** How refusals and dead letters are kept, the same in both stores. */

/** Bytes of a field's value in a dead letter; the rest is cut off. */
const VALUE_BYTES = 65_536

/** Refusals are remembered and hinted on one line, with a leading `!`, which no offset has. */
export function refusedOutcome(outcome: string): string {
  return (outcome.startsWith('!') ? outcome : `!${outcome}`).replace(/[\r\n]+/g, ' ')
}

export function cutFields(fields: Record<string, string>): Record<string, string> {
  const cut = Object.entries(fields).map(([name, value]): [string, string] => {
    // A character takes at most three bytes of UTF-8 for each unit of its UTF-16.
    const tooLong = value.length > VALUE_BYTES / 3 && Buffer.byteLength(value) > VALUE_BYTES
    return [name, tooLong ? Buffer.from(value).subarray(0, VALUE_BYTES).toString() : value]
  })
  // fromEntries defines a raw writer's `__proto__` as an ordinary property.
  return Object.fromEntries(cut)
}
