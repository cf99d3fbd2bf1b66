import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a module and those below it import at run time: our files, and others' packages by name. */
function imports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, target] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s+(?!type\b)[^;\n]*?from '([^']+)'/gm)) {
    if (target!.startsWith('.')) imports(join(dirname(file), target!.replace(/\.js$/, '.ts')), seen)
    else seen.add(target!)
  }
  return seen
}

describe('the root of the protocol package', () => {
  it('brings no package and no validator into a browser\'s bundle', () => {
    const seen = [...imports('shared/src/index.ts')]
    expect(seen.length).toBeGreaterThan(8)
    expect(seen.filter((name) => !name.startsWith('shared/src/') || name.includes('catalogue'))).toEqual([])
  })

  it('leaves the validators to the catalogue', () => {
    expect([...imports('shared/src/catalogue/index.ts')].filter((name) => !name.startsWith('shared/src/')).sort()).toEqual(['typebox', 'typebox/compile'])
  })
})
