/** A hub of one role, as its own process. Ends with its parent. */
import { startHub } from '../../../server/dist/hub.js'
import { settingsWith } from '../../../server/dist/settings/read.js'
import type { Settings } from '../../../server/dist/settings/table.js'

const input = JSON.parse(process.argv[2] ?? '{}') as Partial<Settings>
const hub = await startHub({ settings: settingsWith({ port: 0, partitions: 1, ...input }) })
process.stdin.on('end', () => process.exit(0)).resume()
process.stdout.write(`${JSON.stringify({ url: hub.url })}\n`)
