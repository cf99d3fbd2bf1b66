/**
 * No process outlives the tests that started it, not even when the test runner is killed. jest hides the real `process`
 * from tests, so an `exit` hook never runs: a shell of one loop holds a pipe from us instead, and kills what is left on
 * the list when the pipe closes, frozen (SIGSTOP) processes included.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'

const LOOP = `
trap '' INT TERM HUP
live=' '
while read -r sign pid; do
  case $sign in
    +) live="$live$pid " ;;
    -) live="\${live%% $pid *} \${live##* $pid }" ;;
  esac
done
for pid in $live; do kill -9 "$pid"; done
`

let list: Writable | undefined

/** Call right after `spawn`. A process that ends by itself leaves the list: its pid may belong to somebody else then. */
export function leash(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  list ??= openList()
  list.write(`+ ${pid}\n`)
  child.once('exit', () => list?.write(`- ${pid}\n`))
}

/** Resolves when the process is gone; at once when it went before. */
export function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve({ code: child.exitCode, signal: child.signalCode })
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
}

function openList(): Writable {
  const shell = spawn('/bin/sh', ['-c', LOOP], { stdio: ['pipe', 'ignore', 'ignore'] })
  // It waits for us, not we for it.
  shell.unref()
  const { stdin } = shell
  ;(stdin as Socket).unref()
  stdin.on('error', () => {})
  return stdin
}
