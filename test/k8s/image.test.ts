/** The image's recipe as it stands; `npm run image` builds it and tries it out. */
import { existsSync, readFileSync } from 'node:fs'
import { recipe } from './recipe.js'

const dockerfile = recipe(readFileSync('Dockerfile', 'utf8'))
const ignore = readFileSync('.dockerignore', 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('what is shipped runs as nobody in particular, says how it is, and is stopped by SIGTERM', () => {
  const shipped = dockerfile.at(-1)!
  expect(shipped.of('FROM')).toEqual(['scratch'])
  expect(shipped.of('USER')).toEqual(['10001:10001'])
  expect(shipped.of('STOPSIGNAL')).toEqual(['SIGTERM'])
  expect(shipped.of('HEALTHCHECK')[0]).toMatch(/\/health\/live/)
  // In the form of a list, or a shell that is not there would be PID 1 and take no signal.
  expect([...shipped.of('ENTRYPOINT'), ...shipped.of('CMD')].map((text) => (JSON.parse(text) as string[]).length)).toEqual([2, 1])
})

test('a /tmp that is mounted there is for everybody: `up --workers` puts a socket into it', () => {
  expect(dockerfile[0]!.of('RUN').join('\n')).toMatch(/mkdir -m 1777 \/rootfs\/tmp\b/)
})

test('nothing is fetched but by the lock file, and no step keeps a secret', () => {
  const steps = dockerfile.flatMap((stage) => stage.of('RUN'))
  for (const step of steps) expect(step).not.toMatch(/npm (i|install)\b|curl|wget|apt|TOKEN|PASSWORD/)
  expect(dockerfile.flatMap((stage) => stage.of('ADD'))).toEqual([])
  expect(readFileSync('Dockerfile', 'utf8').match(/^ARG BASE=(.*)$/m)?.[1]).toMatch(/^docker\.io\/library\/node:20-/)
})

test('all that is copied is there, and let in by .dockerignore', () => {
  const sources = dockerfile.flatMap((stage) => stage.of('COPY')).filter((text) => !text.startsWith('--from')).flatMap((text) => text.split(/\s+/).slice(0, -1))
  expect(sources.length).toBeGreaterThan(10)
  const letIn = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  for (const source of sources) {
    expect(existsSync(source)).toBe(true)
    expect(letIn.some((path) => source === path || source.startsWith(`${path}/`))).toBe(true)
  }
  // And every package of the workspace has its manifest there before `npm ci`.
  const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8')) as { workspaces: string[] }
  for (const path of workspaces) expect(sources).toContain(`${path}/package.json`)
})

test('a recipe that would not do is seen', () => {
  const [stage] = recipe('FROM node:20\n# USER 10001\nRUN npm ci \\\n && npm install left-pad\n')
  expect(stage!.of('USER')).toEqual([])
  expect(stage!.of('RUN')).toEqual(['npm ci   && npm install left-pad'])
})
