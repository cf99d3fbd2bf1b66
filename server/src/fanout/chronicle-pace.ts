/** Whether another event went in the place of one that may be passed over: derived as it was decided, from what was released together. */
import { compareOffsets, isAfter, matches, type HubEvent, type Offset } from '@hubbub/protocol'
import type { Chronicle, Span } from './chronicle.js'
import { episodeAt, paceThen, spansAt, type Asked, type Replaced } from './chronicle-fate.js'
import type { Chronicles } from './chronicles.js'
import type { Encoding, TailEntry } from './entry.js'
import { pacedChunks } from './pace.js'
import { PAGE } from './pages.js'
import { audienceKey } from './session.js'
import { INBOX } from './subscription.js'

/** The journal in (after, upTo], at most `count` entries of any project; complete up to `reached`. */
export type ReadEntries = (after: Offset, upTo: Offset, count: number) => Promise<{ entries: readonly TailEntry[]; reached: Offset }>

const NOTHING = { packet: '', bytes: Buffer.alloc(0) }
/** What goes out together is asked, not what it looks like. */
const MUTE: Encoding = { name: 'mute', encode: () => NOTHING, batch: () => NOTHING }
/** A release that holds more than one message's worth cannot have gathered so many. */
const MOST_GATHERED = 5000

/** @param decided of audiences, for this event: thousands of sessions are one audience, and what it was given is looked for once */
export async function replacedFor(chronicle: Chronicle, chronicles: Chronicles, asked: Required<Asked>, read: ReadEntries, decided = new Map<string, Replaced>()): Promise<Replaced> {
  if (!paceThen(chronicle, asked)?.latestOnly || isAfter(asked.offset, chronicle.reached)) return 'no'
  const spans = spansAt(chronicle, asked.offset)
  const episode = episodeAt(chronicle, asked.offset)
  if (episode) return await perhapsLater(asked, episode.until ?? chronicle.reached, chronicle.project, read)
  const chosen = spans.map(({ subscription }) => subscription).filter(({ id }) => id !== INBOX)
  const audience = audienceKey(chronicle.encoding, chronicle.project, chosen)
  const release = chronicles.releaseOf(audience, asked.offset)
  if (!release) return 'perhaps'
  const page = await read(release.since, release.upTo, MOST_GATHERED)
  const mail = spans.filter(({ subscription }) => subscription.id === INBOX)
  // Mail goes at once, and what was gathered with it: where the one ended and the other began is not known.
  if (page.reached !== release.upTo || (mail.length > 0 && page.entries.some(({ event }) => event.project === chronicle.project && isMail(mail, event)))) return 'perhaps'
  const known = decided.get(audience)
  if (known) return known
  const taken = page.entries.filter(({ event }) => event.project === chronicle.project && chosen.some((subscription) => matches(subscription, event)))
  const isGiven = pacedChunks(taken, chosen, MUTE).some((chunk) => chunk.entries.some(({ offset }) => offset === asked.offset))
  const replaced = !taken.some(({ offset }) => offset === asked.offset) ? 'perhaps' : isGiven ? 'no' : 'yes'
  decided.set(audience, replaced)
  return replaced
}

/** Of what is read from the journal, the latest of a page: where the pages ended is not known. */
async function perhapsLater({ offset, event }: Required<Asked>, upTo: Offset, project: string, read: ReadEntries): Promise<Replaced> {
  if (compareOffsets(offset, upTo) >= 0) return 'no'
  const key = keyOf(event)
  return (await read(offset, upTo, PAGE)).entries.some((later) => later.event.project === project && keyOf(later.event) === key) ? 'perhaps' : 'no'
}

function isMail(mail: readonly Span[], event: HubEvent): boolean {
  return mail.some(({ subscription }) => matches(subscription, event))
}

function keyOf({ type, topics }: HubEvent): string {
  return `${type} ${[...topics].sort().join(' ')}`
}
