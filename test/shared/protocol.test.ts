import { readFileSync } from 'node:fs'
import { CLIENT_MESSAGES, HUB_MESSAGES, isFailureCode, TOPIC_FAMILIES } from '@hubbub/protocol'
import { ROLE_PERMISSIONS } from '../../server/src/access/roles.js'

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

function section(title: string): string {
  const start = page.indexOf(`\n## ${title}\n`)
  const end = page.indexOf('\n## ', start + 4)
  return page.slice(start, end < 0 ? undefined : end)
}

/** Names in the first column of a section's table. */
function rows(title: string): string[] {
  return [...section(title).matchAll(/^\| `([^`|]+)` \|/gm)].map(([, name]) => name!)
}

test('PROTOCOL.md names every message of a client and of the hub, and no other', () => {
  expect(rows('Client messages')).toEqual([...CLIENT_MESSAGES])
  expect(rows('Hub messages').sort()).toEqual([...HUB_MESSAGES].sort())
})

test('it names every topic family, every role with its permissions, and only codes that exist', () => {
  for (const family of TOPIC_FAMILIES) expect(section('Topics')).toContain(`\`${family}\``)
  const text = section('Permissions')
  expect(rows('Permissions')).toEqual(Object.keys(ROLE_PERMISSIONS))
  for (const [role, permissions] of Object.entries(ROLE_PERMISSIONS)) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${role}\``))!
    for (const permission of permissions) expect(row).toContain(permission.startsWith('publish:') && role === 'agent' ? permission.slice('publish:'.length) : permission)
  }
  const prose = page.slice(0, page.indexOf('\n## Events\n'))
  for (const [, code] of prose.matchAll(/`([A-Z]+_[A-Z_]+)`/g)) if (!code!.startsWith('HUBBUB_')) expect([code, isFailureCode(code)]).toEqual([code, true])
})
