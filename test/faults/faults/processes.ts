/** Hub processes: killed, frozen, replaced in order, and with clocks that are wrong. */
import type { Random } from '../random.js'
import type { Post, World } from '../world.js'
import { type Fault, freezeMs, processOf, REDIS } from './fault.js'

/** A process that comes up among other faults may fail to; then it is tried again. */
const TRIES = 20
const HOUR_MS = 3_600_000
/** The library looks at its file once a second. */
const SEEN_MS = 1500

export const kill: Fault = {
  kind: 'kill',
  draw(world, random) {
    const post = random.pick(world.posts)
    return {
      what: post.name,
      holds: [processOf(post.name)],
      lastsMs: random.integer(100, 2000),
      async begin() {
        await post.hub.kill('SIGKILL')
        return async () => void (await replaced(post))
      },
    }
  },
}

/** Redis among them, though never for longer than a client waits for it. */
export const freeze: Fault = {
  kind: 'freeze',
  draw(world, random) {
    const isRedis = random.chance(0.1) && world.store.isAlone
    const post = random.pick(world.posts)
    const ms = freezeMs(random)
    const signal = (name: NodeJS.Signals) => (isRedis ? world.store.signal(name) : post.hub.kill(name))
    return {
      what: `${isRedis ? 'redis' : post.name} for ${ms} ms`,
      holds: [isRedis ? REDIS : processOf(post.name)],
      lastsMs: isRedis ? Math.min(ms, 6000) : ms,
      async begin() {
        await signal('SIGSTOP')
        return () => signal('SIGCONT')
      },
    }
  },
}

/** One worker after the other: the new one first, then the old one is told to go, and nothing is done before it went. */
export const rollingDeploy: Fault = {
  kind: 'rolling-deploy',
  draw(world, random) {
    const workers = random.shuffle(world.posted('worker'))
    return {
      what: workers.map(({ name }) => name).join(', '),
      holds: workers.map(({ name }) => processOf(name)),
      lastsMs: 0,
      async begin() {
        for (const post of workers) await (await replaced(post)).stop()
        return () => Promise.resolve()
      },
    }
  },
}

/** Some clocks, each wrong by something else: what compares two of them is wrong by both. */
export const clock: Fault = {
  kind: 'clock',
  draw(world, random) {
    const wrong = random.shuffle(world.posts).slice(0, random.integer(1, world.posts.length)).map((post) => ({ post, ms: stepMs(random) }))
    return {
      what: wrong.map(({ post, ms }) => `${post.name} ${ms > 0 ? '+' : ''}${Math.round(ms / 1000)} s`).join(', '),
      holds: ['clocks'],
      lastsMs: SEEN_MS + random.integer(500, 2500),
      async begin() {
        await set(wrong)
        return () => set(wrong.map(({ post }) => ({ post, ms: 0 })))
      },
    }
  },
}

function stepMs(random: Random): number {
  const most = random.pick([2000, 60_000, HOUR_MS])
  return Math.round(random.next() * 2 * most - most)
}

async function set(clocks: { post: Post; ms: number }[]): Promise<void> {
  await Promise.all(clocks.map(({ post, ms }) => post.setClock(ms)))
}

async function replaced(post: World['posts'][number]) {
  for (let tries = 1; ; tries++) {
    try {
      return await post.replace()
    } catch (error) {
      if (tries >= TRIES) throw new Error(`${post.name} could not be replaced in ${TRIES} tries`, { cause: error })
    }
  }
}
