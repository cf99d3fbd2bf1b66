/** A crowd in a process of its own: says when all are subscribed, then reports whenever it is asked. Ends with its parent. */
import { createInterface } from 'node:readline'
import { Crowd, type CrowdOptions } from './crowd.js'

const crowd = new Crowd(JSON.parse(process.argv[2] ?? '{}') as CrowdOptions)
await crowd.open()
say({ ready: true })
createInterface({ input: process.stdin })
  .on('line', (line) => say(crowd.report((JSON.parse(line) as { published: number[] }).published)))
  .on('close', () => process.exit(0))

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
