#!/usr/bin/env node
import { existsSync } from 'node:fs'

const program = new URL('../dist/cli/main.js', import.meta.url)
if (!existsSync(program)) {
  console.error('hubbub: not built yet; run `npm run build` in the repository, or `npm start`, which builds what is needed')
  process.exit(1)
}
const { main } = await import(program.href)
process.exit(await main(process.argv.slice(2), process.env))
