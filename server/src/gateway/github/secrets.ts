/** Webhook secrets by project. Several of one project are all accepted, so that a secret can be changed without a pause. */
import { isProject } from '@hubbub/protocol'
import { DEFAULT_PROJECT } from '../../access/projects.js'

/**
 * `secret1,secret2,proj=secret3`: an entry without a project is `default`'s. An entry that ends in nothing but `=` is
 * a secret in base64, not a project without a secret; any other secret with a `=` in it needs its project before it.
 */
export function readSecrets(text: string): ReadonlyMap<string, readonly string[]> {
  const secrets = new Map<string, string[]>()
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const [project, secret] = splitEntry(entry)
    const known = secrets.get(project)
    if (known) known.push(secret)
    else secrets.set(project, [secret])
  }
  return secrets
}

function splitEntry(entry: string): [project: string, secret: string] {
  const equals = entry.indexOf('=')
  const project = entry.slice(0, equals)
  const secret = entry.slice(equals + 1)
  return equals > 0 && isProject(project) && !/^=*$/.test(secret) ? [project, secret] : [DEFAULT_PROJECT, entry]
}
