/**
 * `npm run bench [-- scenario ...]`: the hub and its peers in turn, on this machine, in one run. All scenarios: writes bench/RESULTS.md and the plots.
 *
 *     --rounds 5      that count; each peer has its turn in each
 *     --scale 0.2     a look: a share of the largest sizes
 *     --peer FILE     a further peer in the fan-out; see bench/README.md
 *     --out FOLDER    where results go; default: bench, if all scenarios run
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { OutsidePeer } from './peers/peers.js'
import { resultsOf, type Section } from './report/markdown.js'
import { thisMachine } from './report/machine.js'
import { plotOf } from './report/plot.js'
import { audiences } from './scenarios/audiences.js'
import { bursts } from './scenarios/bursts.js'
import { connections } from './scenarios/connections.js'
import { filters } from './scenarios/filters.js'
import { growth } from './scenarios/growth.js'
import { latency } from './scenarios/latency.js'
import { path } from './scenarios/path.js'
import { payload } from './scenarios/payload.js'
import { processor } from './scenarios/processor.js'
import { seeds } from './scenarios/seeds.js'
import { steady } from './scenarios/steady.js'
import { storm } from './scenarios/storm.js'
import { thin } from './scenarios/thin.js'
import { holds } from './scenarios/scenario.js'

const SCENARIOS = [bursts, audiences, steady, thin, path, processor, latency, connections, storm, growth, seeds, filters, payload]
const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '5' }, scale: { type: 'string', default: '1' }, out: { type: 'string' }, peer: { type: 'string' } } })
const unknown = positionals.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
if (unknown.length > 0) fail(`${unknown.join(', ')}: no scenario; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`)
const [rounds, scale] = [numberOf('rounds', values.rounds), numberOf('scale', values.scale)]
const chosen = positionals.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => positionals.includes(name))
const folder = values.out ?? (positionals.length === 0 ? join(dirname(fileURLToPath(import.meta.url)), '..') : undefined)

const outside = values.peer === undefined ? undefined : (JSON.parse(readFileSync(values.peer, 'utf8')) as OutsidePeer)

const machine = thisMachine()
say(`${machine.cpus}, ${machine.versions.join(', ')}; load ${machine.load}`)
const sections: Section[] = []
for (const scenario of chosen) {
  const { name, title } = scenario
  say(`\n${title}`)
  const began = performance.now()
  const rows = await scenario.run({ rounds, scale, outside, say: (line) => say(`  ${line}`) })
  const took = (performance.now() - began) / 1000
  sections.push({ name, title, rows, took })
  for (const row of rows) for (const demand of row.demands) say(`    ${holds(demand) ? 'reached' : 'FALLS SHORT'}: ${row.what}: ${demand.reached?.toFixed(2) ?? 'not known'} ${demand.what} (${demand.least === undefined ? `at most ${demand.most}` : `at least ${demand.least}`})`)
  say(`    ${took.toFixed(0)} s`)
  if (folder) {
    mkdirSync(join(folder, 'plots'), { recursive: true })
    writeFileSync(join(folder, 'plots', `${name}.svg`), plotOf(title, rows))
    writeFileSync(join(folder, 'RESULTS.md'), resultsOf(machine, sections, `npm run bench${positionals.length > 0 ? ` -- ${positionals.join(' ')}` : ''}`))
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  return value > 0 ? value : fail(`--${name}: '${text}' is not allowed; allowed: a number above 0`)
}

function fail(why: string): never {
  process.stderr.write(`bench: ${why}\n`)
  process.exit(2)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
