/** What the documents of the install name is there: settings, metrics, alerts, commands and flags, files, objects. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readCall } from '../../server/src/cli/arguments.js'
import { dead } from '../../server/src/cli/dead.js'
import { key } from '../../server/src/cli/key.js'
import { status } from '../../server/src/cli/status.js'
import { token } from '../../server/src/cli/token.js'
import { trace } from '../../server/src/cli/trace.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { SETTINGS } from '../../server/src/settings/table.js'
import { isWorkload, parse, render, renderWith } from './manifests.js'

const DOCUMENTS = ['k8s/README.md', 'k8s/RUNBOOK.md', 'k8s/redis/README.md']
const COMMANDS = { dead, key, status, token, trace }
const RUNBOOK = readFileSync('k8s/RUNBOOK.md', 'utf8')

const namesIn = (text: string, pattern: RegExp): string[] => [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))]

test.each(DOCUMENTS)('%s: settings, metrics, alerts and files are there', async (path) => {
  const text = readFileSync(path, 'utf8')
  const settings = new Set<string>(Object.values(SETTINGS).map(({ env }) => env))
  expect(namesIn(text, /\b(HUBBUB_[A-Z_]+[A-Z])\b/g).filter((name) => !settings.has(name) && ![...settings].some((other) => other.startsWith(`${name}_`) && text.includes(`${name}_*`)))).toEqual([])
  const exported = await createMetrics({ processMetrics: false }).registry.metrics()
  expect(namesIn(text, /\b(hubbub_[a-z_]+)\b/g).filter((name) => !exported.includes(`# TYPE ${name} `))).toEqual([])
  const rules = readFileSync('k8s/monitoring/rules.yaml', 'utf8')
  expect(namesIn(text, /`(Hubbub[A-Z][A-Za-z]+)`/g).filter((name) => !rules.includes(`alert: ${name}\n`))).toEqual([])
  expect(namesIn(text, /\]\(([^)#:]+)[^):]*\)/g).filter((link) => !existsSync(join(dirname(path), link)))).toEqual([])
})

test('the runbook\'s commands are those of the hub, with their flags', () => {
  const calls = namesIn(RUNBOOK, /(?:`|\$\(|^)(?:hubbub|worker) ([a-z]+[^`)\n#]*)/gm).map((line) => line.trim().replaceAll(/["']/g, '').split(/\s+/))
  expect(new Set(calls.map(([name]) => name))).toEqual(new Set(Object.keys(COMMANDS)))
  for (const [name, ...words] of calls) {
    const command = COMMANDS[name as keyof typeof COMMANDS]
    expect(() => readCall(command.flags, words, {})).not.toThrow()
    // Its first word, if it is one of the command's own.
    if (words[0] && /^[a-z]+$/.test(words[0])) expect(command.usage).toContain(words[0])
  }
})

test('the objects that the runbook names are in the manifests', () => {
  const objects = parse(renderWith('overlays/production', { components: ['monitoring'] })).concat(parse(render('k8s/overlays/dev')), parse(renderWith('overlays/production', { components: ['keda'] })))
  const kinds = { deployment: 'Deployment', statefulset: 'StatefulSet', hpa: 'HorizontalPodAutoscaler', scaledobject: 'ScaledObject' } as const
  for (const [word, kind] of Object.entries(kinds)) {
    const names = namesIn(RUNBOOK, new RegExp(`\\b${word}[ /](hubbub-[a-z]+)`, 'g'))
    expect(names).not.toEqual([])
    expect(names.filter((name) => !objects.some((object) => object.kind === kind && object.metadata.name === name))).toEqual([])
  }
  const containers = new Set(objects.filter(isWorkload).flatMap(({ spec }) => spec.template.spec.containers.map(({ name }) => name)))
  expect(namesIn(RUNBOOK, / -c ([a-z]+)/g).filter((name) => !containers.has(name))).toEqual([])
})
