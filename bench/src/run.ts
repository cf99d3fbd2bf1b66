/** `npm run bench [commit|deliver] [rounds]`: measures, says how it goes, prints what it saw. Ratios count, not single figures. */
import { cpus } from 'node:os'
import { measureCommit } from './commit.js'
import { measureDeliver } from './deliver.js'

const [what = 'all', rounds = '3'] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)

say(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`)
if (what === 'all' || what === 'commit') {
  say('\nCommit: 60,000 events in a source stream, one processor process')
  const figures = await measureCommit(60_000, Number(rounds), say)
  say(`  median ${format(figures.eventsPerSecond)} events/s (${format(figures.eventsPerCpuSecond)} per CPU second), ${figures.bytesPerEvent} bytes each`)
}
if (what === 'all' || what === 'deliver') {
  for (const subscribers of [50, 200]) {
    const events = subscribers > 100 ? 10_000 : 20_000
    say(`\nDeliver: ${format(events)} events to ${subscribers} subscribers on one worker, beside stock Socket.IO with the streams adapter`)
    const figures = await measureDeliver(subscribers, events, Number(rounds), say)
    say(`  median ${format(figures.hubbub)} deliveries per worker CPU second, stock ${format(figures.stock)}: ${figures.ratio.toFixed(1)} times`)
  }
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en')
}
