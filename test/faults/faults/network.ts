/** The ways between the parts: cut, slow, or full because nobody reads at their end. */
import type { Random } from '../random.js'
import type { World } from '../world.js'
import type { Proxy } from '../../harness/proxy.js'
import { doorOf, type Fault, linkOf } from './fault.js'

interface Way {
  name: string
  hold: string
  proxies: readonly Proxy[]
}

/** A process's way to Redis, or the ways of a few clients to their workers. */
function drawWay(world: World, random: Random): Way {
  const links = world.posts.filter(({ link }) => link !== undefined)
  if (links.length > 0 && random.chance(0.6)) {
    const post = random.pick(links)
    return { name: `${post.name} to redis`, hold: linkOf(post.name), proxies: [post.link!] }
  }
  const doors = random.shuffle(world.doors).slice(0, random.integer(1, 6))
  // One hold for all doors: an injury of some of them is enough at a time.
  return { name: `${doors.map(({ name }) => name).join(', ')} to workers`, hold: doorOf('some'), proxies: doors.map(({ proxy }) => proxy) }
}

export const cut: Fault = {
  kind: 'cut',
  draw(world, random) {
    const { name, hold, proxies } = drawWay(world, random)
    const how = random.pick(['reset', 'blackhole', 'refuse'] as const)
    const each = (act: (proxy: Proxy) => void) => proxies.forEach(act)
    return {
      what: `${name}: ${how}`,
      holds: [hold],
      lastsMs: how === 'reset' ? 50 : random.chance(0.9) ? random.integer(200, 3000) : random.integer(3000, 12_000),
      async begin() {
        each((proxy) => {
          if (how === 'blackhole') return proxy.blackhole(true)
          if (how === 'refuse') proxy.refuse(true)
          proxy.cut('reset')
        })
        return async () =>
          each((proxy) => {
            proxy.blackhole(false)
            proxy.refuse(false)
          })
      },
    }
  },
}

export const delay: Fault = {
  kind: 'delay',
  draw(world, random) {
    const { name, hold, proxies } = drawWay(world, random)
    const ms = random.integer(20, 500)
    return {
      what: `${name}: ${ms} ms each way`,
      holds: [hold],
      lastsMs: random.integer(500, 4000),
      async begin() {
        for (const proxy of proxies) proxy.delay(ms)
        return async () => {
          for (const proxy of proxies) proxy.delay(0)
        }
      },
    }
  },
}

/** Mostly of those who are given much: the others' share fits into the buffers of the kernel. */
export const slowClient: Fault = {
  kind: 'slow-client',
  draw(world, random) {
    const clients = world.doors.filter(({ name }) => !name.startsWith('producer'))
    const wide = clients.filter(({ name }) => name.includes('-all-'))
    const door = random.pick(random.chance(0.8) && wide.length > 0 ? wide : clients)
    return {
      what: door.name,
      holds: [doorOf('some')],
      lastsMs: random.integer(1000, random.chance(0.2) ? 10_000 : 4000),
      async begin() {
        door.proxy.pause(true)
        return async () => door.proxy.pause(false)
      },
    }
  },
}

/** Whoever is connected to a worker, or everybody at once. */
export const reconnectStorm: Fault = {
  kind: 'reconnect-storm',
  draw(world, random) {
    const workers = world.posted('worker')
    const at = random.chance(0.4) ? undefined : random.integer(0, workers.length - 1)
    const times = random.integer(1, 3)
    return {
      what: at === undefined ? `all clients, ${times} times` : `clients of ${workers[at]!.name}, ${times} times`,
      holds: [doorOf('some')],
      lastsMs: random.integer(300, 1500),
      async begin() {
        const storm = () => {
          for (const [place, { proxy }] of world.doors.entries()) if (at === undefined || place % workers.length === at) proxy.cut('reset')
        }
        storm()
        const again = times > 1 ? setInterval(storm, 400) : undefined
        return async () => clearInterval(again)
      },
    }
  },
}
