import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** Prometheus' own checker: the one that `npm test` names or brought, or that of PATH; undefined: there is none on this machine. */
export function promtoolProgram(): string | undefined {
  const brought = resolve('node_modules/.cache/prometheus/promtool')
  const places = [process.env['PROMTOOL'] ?? '', existsSync(brought) ? brought : '', 'promtool']
  return places.find((program) => program !== '' && spawnSync(program, ['--version'], { timeout: 20_000 }).status === 0)
}
