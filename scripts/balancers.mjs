/**
 * Finds the balancers whose configurations `test/balancers` runs, HAProxy and nginx, or gets them.
 * `HUBBUB_HAPROXY` and `HUBBUB_NGINX` name programs that stand elsewhere.
 */
import { programOf } from './program.mjs'

const without = 'tests that need it will fail'
const BALANCERS = [
  { variable: 'HUBBUB_HAPROXY', program: 'haproxy', apt: 'haproxy', without },
  { variable: 'HUBBUB_NGINX', program: 'nginx', apt: 'nginx-light', without },
]

/** The programs as variables of the environment; of one that cannot be had one line says why. */
export async function balancerPrograms() {
  const found = {}
  for (const balancer of BALANCERS) {
    const path = await programOf(balancer)
    if (path) found[balancer.variable] = path
  }
  return found
}
