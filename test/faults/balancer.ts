/** What stands between clients and workers: it asks each worker whether it is ready, and leads new connections past those that are not. */
import type { Proxy } from '../harness/proxy.js'

export interface Balancer {
  close(): void
}

interface Worker {
  readonly name: string
  /** Who holds the place now. */
  readonly hub: { url: string; port: number }
}

interface Entrance {
  readonly proxy: Proxy
  /** Name of the worker to which new connections go. */
  leadsTo: string
}

const LOOK_MS = 250
const PATIENCE_MS = 1000

/** @param doors more may come */
export function openBalancer(workers: readonly Worker[], doors: readonly Entrance[]): Balancer {
  const up = new Map<Worker, boolean>()
  let closed = false
  const look = async () => {
    await Promise.all(workers.map(async (worker) => up.set(worker, await isReady(worker))))
    if (!closed) for (const [at, door] of doors.entries()) lead(door, at, workers, up)
  }
  const timer = setInterval(() => void look(), LOOK_MS)
  return {
    close() {
      closed = true
      clearInterval(timer)
    },
  }
}

/** Each door has a worker of its own, and goes to the next one that is ready while that one is not. Nobody ready: it stays as it was. */
function lead(entrance: Entrance, at: number, workers: readonly Worker[], up: ReadonlyMap<Worker, boolean>): void {
  for (let step = 0; step < workers.length; step++) {
    const worker = workers[(at + step) % workers.length]!
    if (!up.get(worker)) continue
    entrance.leadsTo = worker.name
    return entrance.proxy.retarget(worker.hub.port)
  }
}

async function isReady({ hub }: Worker): Promise<boolean> {
  try {
    const answer = await fetch(`${hub.url}/health/ready`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}
