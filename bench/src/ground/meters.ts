/** What a process costs, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs'

/** User and system time of a process and all its threads so far, seconds; the kernel counts ns. */
export function cpuOf(...pids: readonly number[]): number {
  let ns = 0
  for (const pid of pids) for (const thread of readdirSync(`/proc/${pid}/task`)) ns += runtimeOf(`/proc/${pid}/task/${thread}/schedstat`)
  return ns / 1e9
}

/** Bytes of memory that a process has. */
export function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

/** A thread that ended since it was listed takes its time with it; those of Node and nats-server live as long as they do. */
function runtimeOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0])
  } catch {
    return 0
  }
}
