/** Where and with what it was measured. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, release, totalmem } from 'node:os'

export interface Machine {
  date: string
  cpus: string
  memory: string
  kernel: string
  versions: string[]
  load: string
}

const require = createRequire(import.meta.url)

export function thisMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    kernel: `Linux ${release()}`,
    versions: [`Node ${process.version}`, `redis-server ${versionOf('redis-server', /v=([\d.]+)/)}`, `nats-server ${versionOf(process.env['HUBBUB_NATS'] ?? 'nats-server', /v([\d.]+)/)}`, ...['socket.io', '@socket.io/redis-adapter', '@socket.io/redis-streams-adapter', 'redis', 'ws'].map((name) => `${name} ${packageVersion(name)}`)],
    load: loadavg()[0]!.toFixed(1),
  }
}

function versionOf(program: string, pattern: RegExp): string {
  try {
    return pattern.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'of unknown version'
  } catch {
    return 'absent'
  }
}

/** Not every package lets its package.json be asked for. */
function packageVersion(name: string): string {
  const folder = require.resolve(name).replace(new RegExp(`(node_modules/${name})/.*`), '$1')
  return (JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { version: string }).version
}
