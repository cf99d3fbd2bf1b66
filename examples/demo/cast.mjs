/** Who plays: twelve agents. `load` is what an idle one takes of its processor, in percent; `memory` its usual size, in MiB. */

/**
 * @typedef {object} Role
 * @property {string} id
 * @property {string} type
 * @property {string[]} capabilities
 * @property {number} concurrency tasks at once
 * @property {number} load
 * @property {number} memory
 * @property {boolean} [apart] in a process of its own, which can be killed
 */

/** In the order in which they sign on: of equals the hub asks the first. @type {readonly Role[]} */
export const CAST = [
  { id: 'planner-iris', type: 'planner', capabilities: ['plan', 'estimate'], concurrency: 2, load: 4, memory: 310 },
  { id: 'coder-ada', type: 'coder', capabilities: ['code', 'typescript', 'cart', 'payments'], concurrency: 1, load: 8, memory: 620 },
  { id: 'coder-ben', type: 'coder', capabilities: ['code', 'typescript', 'cart', 'events', 'pricing'], concurrency: 1, load: 7, memory: 590 },
  { id: 'coder-chen', type: 'coder', capabilities: ['code', 'typescript', 'events', 'payments'], concurrency: 1, load: 9, memory: 640 },
  { id: 'coder-ravi', type: 'coder', capabilities: ['code', 'typescript', 'pricing'], concurrency: 1, load: 8, memory: 700, apart: true },
  { id: 'tester-eli', type: 'tester', capabilities: ['test', 'browser'], concurrency: 2, load: 6, memory: 480 },
  { id: 'tester-fay', type: 'tester', capabilities: ['test', 'browser'], concurrency: 2, load: 6, memory: 455 },
  { id: 'reviewer-gus', type: 'reviewer', capabilities: ['review', 'security'], concurrency: 1, load: 3, memory: 350 },
  { id: 'reviewer-hana', type: 'reviewer', capabilities: ['review', 'typescript'], concurrency: 1, load: 3, memory: 365 },
  { id: 'docs-ines', type: 'docs', capabilities: ['write', 'links'], concurrency: 2, load: 4, memory: 290 },
  { id: 'ops-jon', type: 'ops', capabilities: ['deploy', 'load'], concurrency: 1, load: 11, memory: 410 },
  { id: 'ops-kim', type: 'ops', capabilities: ['deploy', 'build'], concurrency: 2, load: 10, memory: 430 },
]
