/** How a command ends badly: wrong usage (exit 2), or something that went wrong (exit 1). One line each on stderr. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export class CommandError extends Error {
  override readonly name = 'CommandError'
}
