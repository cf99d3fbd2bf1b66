import { readFileSync } from 'node:fs'

/** Of the package, read from beside the code: one place says it. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
