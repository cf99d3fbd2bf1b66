/** Copies the store's Lua scripts beside the compiled code, which `tsc` leaves out. */
import { cpSync, existsSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './step.mjs'

export function copyLua() {
  const from = join(ROOT, 'server/src/store/redis/lua')
  const to = join(ROOT, 'server/dist/store/redis/lua')
  // A script that was renamed or removed must not live on in an old build.
  rmSync(to, { recursive: true, force: true })
  if (existsSync(from)) cpSync(from, to, { recursive: true })
}

// Through a symbolic link the two paths differ.
if (realpathSync(process.argv[1]) === import.meta.filename) copyLua()
