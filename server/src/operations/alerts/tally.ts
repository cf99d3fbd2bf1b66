/** What only counts up and has no end that could be told: new dead letters, sinks that were paused. A note each of what was told last. */
import type { Told } from '../overview-assembly.js'
import { isoOf, sinksOf } from '../overview-assembly.js'
import type { PartitionStanding } from '../../store/port.js'
import { readNote } from './book.js'
import type { Voice } from './voice.js'

interface Tally {
  count: number
  /** ms by the store's clock: when that was told. */
  at: number
}

export interface TallyView {
  now: number
  notes: Readonly<Record<string, string>>
  partitions: readonly PartitionStanding[]
  told: readonly Told[]
}

const LETTERS = 'tally dead-letters'
const PAUSED = 'tally sinks-paused'

/** Told before it is noted: the id has the count in it, so a watch that takes over in between tells the same again, and adds nothing. */
export async function tellTallies(view: TallyView, voice: Voice, deadMs: number): Promise<Record<string, string>> {
  return { ...(await tellLetters(view, voice, deadMs)), ...(await tellPaused(view, voice)) }
}

async function tellLetters({ now, notes, partitions }: TallyView, voice: Voice, deadMs: number): Promise<Record<string, string>> {
  const count = partitions.reduce((sum, { deadLettersEver }) => sum + deadLettersEver, 0)
  const before = tallyOf(notes[LETTERS])
  const more = count - (before?.count ?? 0)
  const note = { [LETTERS]: JSON.stringify({ count, at: now } satisfies Tally) }
  // A store that was emptied begins anew.
  if (more < 0) return note
  if (more === 0 || now - (before?.at ?? 0) < deadMs) return {}
  const message = `${more} ${more === 1 ? 'entry' : 'entries'} could not be committed; \`hubbub dead\` and /api/v1/dead say which, and why.`
  const since = before ? isoOf(before.at) : undefined
  const told = await voice.tell(`alert:dead-letters:${before?.at ?? 0}:${count}`, 'system.alert', {
    alert: 'dead-letters', status: 'firing', severity: 'warning', component: 'dead-letters', message, value: more, unit: 'letters', ...(since !== undefined && { since }),
  })
  return told ? note : {}
}

/** Which ones is said to their own projects (I6). */
async function tellPaused({ now, notes, told }: TallyView, voice: Voice): Promise<Record<string, string>> {
  const before = tallyOf(notes[PAUSED])
  // Workers learn of it one after the other: the largest figure rises with the first of them, and falls with the last.
  const count = Math.max(0, ...told.filter(({ silent }) => !silent).map((one) => sinksOf([one]).paused))
  if (count === (before?.count ?? 0)) return {}
  const note = { [PAUSED]: JSON.stringify({ count, at: now } satisfies Tally) }
  if (count < (before?.count ?? 0)) return note
  const said = await voice.tell(`notice:sinks-paused:${before?.at ?? 0}:${count}`, 'system.notification', {
    level: 'warning', component: 'sinks', title: 'Sink paused', message: `${count} outgoing ${count === 1 ? 'webhook is' : 'webhooks are'} paused.`,
  })
  return said ? note : {}
}

function tallyOf(text: string | undefined): Tally | undefined {
  const note: Partial<Tally> | undefined = readNote(text)
  return typeof note?.count === 'number' && typeof note.at === 'number' ? (note as Tally) : undefined
}
