/** `npm run rules`: the floors and circles of `.dependency-cruiser.cjs`, the length of files, and words that stay out. */
import { cruise } from 'dependency-cruiser'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { ROOT } from './step.mjs'

const SOURCES = ['shared/src', 'client-sdk/typescript/src', 'client-sdk/react/src', 'dashboard/src', 'server/src']
const FOLDERS = [...SOURCES, 'test', 'scripts', 'bench', 'examples']
const LONGEST = 300
const VAGUE = /^(utils?|helpers?|common|types|managers?|misc)$/
const SILENCED = /@ts-(ignore|expect-error|nocheck)|\b(it|test|describe)\.(skip|only|todo)\b|\bx(it|describe)\(/

/** Our packages by their sources: the floors hold between them, too, and no build is needed to look. */
const alias = {
  '@hubbub/client/testing$': join(ROOT, 'client-sdk/typescript/src/testing.ts'),
  '@hubbub/client$': join(ROOT, 'client-sdk/typescript/src/index.ts'),
  '@hubbub/react$': join(ROOT, 'client-sdk/react/src/index.ts'),
  '@hubbub/protocol$': join(ROOT, 'shared/src/index.ts'),
  '@hubbub/protocol/catalogue$': join(ROOT, 'shared/src/catalogue/index.ts'),
  '@hubbub/server$': join(ROOT, 'server/src/index.ts'),
}

process.chdir(ROOT)
const files = FOLDERS.flatMap((folder) => sourceFiles(folder))
const complaints = [...(await imports()), ...files.flatMap((file) => contents(file))]
for (const complaint of complaints) console.error(complaint)
console.log(complaints.length === 0 ? `rules: ${files.length} files keep them` : `rules: ${complaints.length} broken`)
process.exitCode = complaints.length === 0 ? 0 : 1

async function imports() {
  const { options, forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs')
  const folders = [...SOURCES, 'test']
  const { output } = await cruise(folders, { ...options, validate: true, ruleSet: { forbidden } }, { alias, exportsFields: ['exports'], extensionAlias: { '.js': ['.ts', '.tsx', '.js'] }, conditionNames: ['import', 'types', 'default'] })
  const seen = new Set(output.modules.map((module) => module.source))
  // A parser that does not understand the sources sees no modules and so no faults.
  const unseen = folders.flatMap((folder) => sourceFiles(folder)).filter((file) => /\.tsx?$/.test(file) && !seen.has(file))
  return [
    ...unseen.map((file) => `${file}: the dependency cruiser did not see it`),
    ...output.summary.violations.map(({ rule, from, to, cycle }) => {
      const comment = forbidden.find(({ name }) => name === rule.name)?.comment
      return `${from}: ${rule.name} (${comment}): imports ${cycle ? cycle.map(({ name }) => name).join(' -> ') : to}`
    }),
  ]
}

function contents(file) {
  const text = readFileSync(file, 'utf8')
  const lines = text.split('\n').length - 1
  const silenced = file === 'scripts/rules.mjs' ? null : SILENCED.exec(text)
  return [
    ...(lines > LONGEST ? [`${file}: ${lines} lines; ${LONGEST} at most`] : []),
    ...(silenced ? [`${file}: ${silenced[0]}`] : []),
    ...file.split('/').filter((part) => VAGUE.test(basename(part).split('.')[0])).map((part) => `${file}: '${part}' says nothing; name it for what it does`),
  ]
}

function sourceFiles(folder) {
  let entries = []
  try {
    entries = readdirSync(folder, { recursive: true })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  return entries.map((file) => join(folder, file)).filter((file) => /\.(tsx?|mjs|lua)$/.test(file))
}
