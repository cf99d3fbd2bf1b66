/** Waiting, but not for ever. */

/** Resolves when the work is done, or so many ms are over; answers whether it was. Rejects as the work does, in time. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), Math.max(0, ms))))
  return await Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer))
}
