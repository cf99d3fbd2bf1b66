import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** Where `npm test` installs the Python package; the stamp is written last. */
const VENV = 'node_modules/.cache/python-venv'

/** A Python that has what the package needs; undefined: there is none on this machine. */
export function pythonProgram(): string | undefined {
  const named = process.env['HUBBUB_PYTHON']
  if (named !== undefined && named !== '') return named
  const program = resolve(VENV, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  return existsSync(resolve(VENV, '.made-from')) && existsSync(program) ? program : undefined
}
