/** Waiting for sockets that take what they were given. */

/** What is half dead does not always say that it drained, ms. */
const LOOK_MS = 200

interface Drainable {
  once(event: 'drain' | 'close', listener: () => void): unknown
  removeListener(event: 'drain' | 'close', listener: () => void): unknown
}

/** Until one of the emitters drains or closes; and not for long: then it is looked at again. */
export function nextDrain(...emitters: (Drainable | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      for (const emitter of emitters) {
        emitter?.removeListener('drain', done)
        emitter?.removeListener('close', done)
      }
      resolve()
    }
    const timer = setTimeout(done, LOOK_MS)
    for (const emitter of emitters) {
      emitter?.once('drain', done)
      emitter?.once('close', done)
    }
  })
}
