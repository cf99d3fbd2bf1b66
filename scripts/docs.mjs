/** `npm run docs [-- --check]`: writes the documents' tables from the code (or says that they differ), and follows their links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, install } from './setup.mjs'
import { ROOT, run } from './step.mjs'

await install()
await build()
const tables = await run(['scripts/docs-tables.mjs', ...process.argv.slice(2)])
const names = await run(['scripts/python-names.mjs', ...process.argv.slice(2)])
const lost = documents().flatMap((file) => deadLinks(file))
for (const line of lost) console.error(line)
process.exit(tables || names || (lost.length > 0 ? 1 : 0))

function documents() {
  const folders = ['.', 'docs', 'shared', 'server', 'client-sdk', 'client-sdk/typescript', 'client-sdk/react', 'client-sdk/python', 'bench', 'examples', 'examples/demo', 'k8s', 'k8s/monitoring'].filter((folder) => existsSync(join(ROOT, folder)))
  return folders.flatMap((folder) => readdirSync(join(ROOT, folder)).filter((file) => file.endsWith('.md')).map((file) => join(folder, file)))
}

/** Links to files of the repository, and to headings inside them; the web is left alone. */
function deadLinks(file) {
  const links = [...withoutCode(readFileSync(join(ROOT, file), 'utf8')).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map((match) => match[1])
  return links.flatMap((link) => {
    const [path, heading] = link.split('#')
    const target = path ? join(dirname(file), path) : file
    if (!existsSync(join(ROOT, target))) return [`${file}: ${link} leads nowhere`]
    if (!heading || !target.endsWith('.md')) return []
    return headings(target).has(heading) ? [] : [`${file}: ${link}: there is no such heading`]
  })
}

/** Anchors as code hosts make them of headings: lower case, without punctuation, spaces to hyphens. */
function headings(file) {
  const lines = withoutCode(readFileSync(join(ROOT, file), 'utf8')).matchAll(/^#+ +(.+)$/gm)
  return new Set([...lines].map((match) => match[1].toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(/\s/g, '-')))
}

function withoutCode(text) {
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '')
}
