/**
 * How many partitions a processor should own. Every processor computes it from the same sorted list of living members, so
 * that they agree without talking: the first `partitions % members` of them take one more than the rest.
 */
export function fairShare(partitions: number, members: readonly string[], me: string): number {
  const place = members.indexOf(me)
  if (place < 0) return 0
  return Math.floor(partitions / members.length) + (place < partitions % members.length ? 1 : 0)
}
