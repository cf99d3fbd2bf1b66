/** Inputs over real sockets, so many, to a hub process: requests, raw bytes, volleys of WebSocket frames, side by side. */
import { createRandom, type Random } from '../faults/random.js'
import { broken, volley } from './connections.js'
import type { Outcomes } from './outcomes.js'
import { closeRequests, fire, fireRaw, someRequest } from './requests.js'
import type { Siege } from './siege.js'
import { DIALECTS } from './speakers.js'

const WIRES = ['Socket.IO packets', ...Object.keys(DIALECTS)]
/** At once. */
const LANES = 24

/** @param step called behind each tenth, with the share that is done */
export async function bombard(siege: Siege, inputs: number, seed: number, outcomes: Outcomes, step: (share: number) => void = () => undefined): Promise<void> {
  const began = outcomes.inputs
  let [shots, tenth] = [0, 1]
  const isDone = () => outcomes.inputs - began >= inputs
  const lane = async (): Promise<void> => {
    while (!isDone()) {
      const own = seed + ++shots
      const random = createRandom(own)
      await shoot(siege.url, random, own, outcomes)
      while (tenth <= 10 && outcomes.inputs - began >= (inputs * tenth) / 10) step(tenth++ / 10)
      if (siege.isOver()) return
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  closeRequests()
}

async function shoot(url: string, random: Random, seed: number, outcomes: Outcomes): Promise<void> {
  const choice = random.integer(0, 99)
  if (choice < 82) await fire(url, someRequest(random), outcomes, seed)
  else if (choice < 84) await fireRaw(url, random, outcomes)
  else if (choice < 86) await broken(url, random, outcomes)
  else await volley(url, random.pick(WIRES), random, outcomes, seed)
}
