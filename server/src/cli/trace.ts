/** `hubbub trace EVENT`: why an event did or did not arrive, as a story from top to bottom. */
import type { Trace } from '@hubbub/protocol'
import { readRemote, REMOTE, UsageError, type Command } from './arguments.js'
import { JSON_FLAG, print, printJson, wantsJson } from './print.js'
import { callHub } from './remote.js'
import { inkOf } from './terminal/paint.js'
import { storyOf } from './trace-story.js'

export const trace: Command = {
  usage: 'trace EVENT [--session S] [--subject S] [--json]',
  about: 'Why an event did or did not arrive. EVENT is its id, or its cursor, which is found however old it is. Exit codes: 0 it was committed, 1 it was refused or is unknown, or the hub failed.',
  flags: {
    session: { value: 'S', env: 'HUBBUB_SESSION', about: 'What became of it for this session, or connection.' },
    subject: { value: 'S', env: 'HUBBUB_SUBJECT', about: 'And for this subject\'s sessions. Of others than oneself: an admin\'s token.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    const [eventId, ...rest] = call.words
    if (eventId === undefined || eventId === '') throw new UsageError('EVENT is missing')
    if (rest.length > 0) throw new UsageError(`'${rest[0]}' is one word too many`)
    const query = new URLSearchParams()
    for (const name of ['session', 'subject']) {
      const text = call.text(name)
      if (text) query.set(name, text)
    }
    const path = `/api/v1/trace/${encodeURIComponent(eventId)}`
    const answer = await callHub(readRemote(call), 'GET', query.size > 0 ? `${path}?${query.toString()}` : path)
    const told = answer['trace'] as Trace
    if (wantsJson(call)) printJson(told)
    else for (const line of storyOf(told, inkOf(call.env))) print(line)
    return told.status === 'committed' ? 0 : 1
  },
}
