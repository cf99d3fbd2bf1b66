import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse, render, renderWith } from './manifests.js'
import { RELEASES } from './schemas.js'
import { verdict } from './verdict.js'

const OVERLAYS = readdirSync(resolve('k8s/overlays'))
const COMPONENTS = readdirSync(resolve('k8s/components'))

describe('the Kubernetes manifests', () => {
  test('there are the overlays and components that the documents name', () => {
    expect(OVERLAYS.toSorted()).toEqual(['dev', 'gateway', 'production', 'traefik'])
    expect(COMPONENTS.toSorted()).toEqual(['external-metrics', 'gateway', 'keda', 'metrics-key', 'monitoring', 'redis', 'traefik'])
  })

  test.each(OVERLAYS)(`overlay %s: every object is as Kubernetes ${RELEASES.join(', ')} have it, every name leads somewhere, and the hub would start`, (name) => {
    expect(verdict(parse(render(`k8s/overlays/${name}`)))).toEqual([])
  })

  test.each([
    ['KEDA and monitoring', ['keda', 'monitoring', 'metrics-key']],
    ['external metrics and a gateway', ['external-metrics', 'gateway']],
    ['Traefik and monitoring', ['traefik', 'monitoring', 'metrics-key']],
  ])('production with %s', (_title, components) => {
    expect(verdict(parse(renderWith('overlays/production', { components })))).toEqual([])
  })

  test('a credential changes nothing else about the scrape', () => {
    const [plain, known] = [['monitoring'], ['monitoring', 'metrics-key']].map((components) => parse(renderWith('overlays/production', { components })).find(({ kind }) => kind === 'PodMonitor')!)
    const [endpoint] = (known!.spec as { podMetricsEndpoints: { authorization?: object }[] }).podMetricsEndpoints
    const { authorization, ...rest } = endpoint!
    expect(authorization).toBeDefined()
    expect({ ...known!.spec, podMetricsEndpoints: [rest] }).toEqual(plain!.spec)
  })

  test('the development install with monitoring', () => {
    expect(verdict(parse(renderWith('overlays/dev', { components: ['monitoring'] })))).toEqual([])
  })

  test('a small install of one\'s own: base and Redis, and a Secret that is made beforehand', () => {
    const objects = parse(renderWith('base', { components: ['redis'] }))
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([])
    expect(verdict(objects)).toEqual([])
  })

  test('production holds no secret, and names those that are to be made', () => {
    const objects = parse(render('k8s/overlays/production'))
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([])
    expect(JSON.stringify(objects)).toContain('hubbub-redis-ca')
  })

  test('no object says its namespace, so that all go to the one that is asked for', () => {
    for (const name of OVERLAYS) expect(parse(render(`k8s/overlays/${name}`)).filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([])
  })
})
