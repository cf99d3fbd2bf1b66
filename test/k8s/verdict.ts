/** All that is wrong with a set of manifests, in words. */
import type { Manifest } from './manifests.js'
import { networkFaults } from './network.js'
import { podFaults } from './pods.js'
import { danglingReferences } from './references.js'
import { relationFaults } from './relations.js'
import { misshapen, RELEASES, type Release } from './schemas.js'
import { settingFaults, type Examples } from './settings.js'
import { valueFaults } from './values.js'

/** What a user makes before an install, as k8s/README.md says it: with a Redis of one's own, or a password for the small one. */
export const EXAMPLES: Examples = {
  'hubbub-secrets': { REDIS_URL: 'rediss://hubbub:secret@redis.example:6380', REDIS_PASSWORD: 'secret', HUBBUB_JWT_SECRET: 'an example of thirty-two characters', HUBBUB_GITHUB_SECRET: 'webhooks' },
  'hubbub-redis-ca': { 'ca.crt': 'a certificate' },
  'hubbub-metrics': { token: 'a credential' },
}

export function verdict(objects: readonly Manifest[], releases: readonly Release[] = RELEASES): string[] {
  const shapes = releases.flatMap((release) => misshapen(objects, release).map((fault) => `${fault} (Kubernetes ${release})`))
  // What has no shape cannot be read further.
  if (shapes.length > 0) return shapes
  const given = Object.fromEntries(Object.entries(EXAMPLES).map(([name, keys]) => [name, Object.keys(keys)]))
  return [...valueFaults(objects), ...relationFaults(objects), ...danglingReferences(objects, given), ...networkFaults(objects), ...podFaults(objects), ...settingFaults(objects, EXAMPLES), ...secretFaults(objects)]
}

/** A value that stands in the repository is no secret, and must say so. */
function secretFaults(objects: readonly Manifest[]): string[] {
  return objects
    .filter(({ kind, metadata }) => kind === 'Secret' && !metadata.annotations?.['hubbub/warning'])
    .map(({ metadata }) => `Secret ${metadata.name}: stands in the repository, and does not say that it is for development only`)
}
