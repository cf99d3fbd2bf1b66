/**
 * A built dashboard's files as they were when the hub started, in memory: less than a megabyte. Read for each request they would be those of
 * the next build, or none, under the lengths of the last one; and a stream that does not find its file ends the process.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'

export interface DashboardFile {
  body: Buffer
  /** Of its name: `.js`. */
  extension: string
  etag: string
  /** The same, compressed by the build. */
  packed: { br?: Buffer; gzip?: Buffer }
}

const PACKED = { br: '.br', gzip: '.gz' } as const

/** By path, `/assets/x.js`; the page is `/` as well. Throws when the folder cannot be read. */
export function readDashboard(folder: string): Map<string, DashboardFile> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const bodies = new Map(entries.map((entry): [string, Buffer] => {
    const path = join(entry.parentPath, entry.name)
    return [`/${relative(folder, path).split(sep).join('/')}`, readFileSync(path)]
  }))
  const files = new Map<string, DashboardFile>()
  for (const [path, body] of bodies) {
    const extension = extname(path)
    if (Object.values(PACKED).some((suffix) => suffix === extension)) continue
    const br = bodies.get(path + PACKED.br)
    const gzip = bodies.get(path + PACKED.gzip)
    files.set(path, { body, extension, etag: `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`, packed: { ...(br && { br }), ...(gzip && { gzip }) } })
  }
  const page = files.get('/index.html')
  if (page) files.set('/', page)
  return files
}
