/**
 * An event as one line of a chat. Whatever comes from the event is somebody else's text: it must neither call everybody (`@everyone`,
 * `<!channel>`), nor look like something that it is not (links, code, bold, a second line). A sink's own template is trusted.
 */
import type { HubEvent } from '@hubbub/protocol'

export type Chat = 'slack' | 'discord'

/** Characters of a message: Discord's limit; Slack cuts a text at 40,000, nobody reads as much. */
const LONGEST: Readonly<Record<Chat, number>> = { slack: 3000, discord: 2000 }
/** Of one value, before it is escaped. */
const LONGEST_VALUE = 500
/** The first that is a text says it; then a figure. */
const SPEAKING = ['title', 'taskTitle', 'message', 'summary', 'error', 'reason', 'text']
const STATES = ['newStatus', 'status', 'currentPhase', 'state', 'conclusion', 'severity', 'level']
const LINKS = ['url', 'htmlUrl', 'html_url', 'link', 'href']

export function chatLine(event: HubEvent, chat: Chat, template?: string): string {
  return cut(template === undefined ? lineOf(event, chat) : filled(template, event, chat), LONGEST[chat])
}

/** `task.failed T-1 (failed): out of memory https://...` */
function lineOf(event: HubEvent, chat: Chat): string {
  const data = isRecord(event.data) ? event.data : {}
  const said = (text: string): string => escaped(text, chat)
  const [id, state, words, link] = [mainId(event, data), textAmong(data, STATES), textAmong(data, SPEAKING), linkIn(data)]
  const progress = typeof data['progress'] === 'number' ? `${data['progress']} %` : undefined
  const figures = [state, progress].filter((one) => one !== undefined).join(', ')
  const head = [said(event.type), id && said(id), figures && `(${said(figures)})`].filter(Boolean).join(' ')
  const line = words === undefined ? head : `${head}: ${said(words)}`
  return link === undefined ? line : `${line} ${linkText(link, chat)}`
}

/** `{{data.title}}`, `{{type}}`: fields of the event by path; what is not there is empty. */
function filled(template: string, event: HubEvent, chat: Chat): string {
  return template.replaceAll(/\{\{\s*([^{}\s]{1,200})\s*\}\}/g, (_, path: string) => {
    let value: unknown = event
    for (const step of path.split('.')) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return ''
      value = (value as Record<string, unknown>)[step]
    }
    if (value === undefined || value === null) return ''
    return escaped(typeof value === 'string' ? value : JSON.stringify(value), chat)
  })
}

/** The id of what the event's type is about; else that of its first topic. */
function mainId({ type, topics }: HubEvent, data: Record<string, unknown>): string | undefined {
  const [family = ''] = type.split('.')
  const named = data[`${family}Id`]
  if (typeof named === 'string' || typeof named === 'number') return String(named)
  const topic = topics.find((one) => one.includes(':'))
  return topic?.slice(topic.indexOf(':') + 1)
}

function textAmong(data: Record<string, unknown>, names: readonly string[]): string | undefined {
  const found = names.map((name) => (isRecord(data[name]) ? data[name]['message'] : data[name])).find((value) => typeof value === 'string' && value.trim() !== '')
  return found as string | undefined
}

/** Only what every chat takes for one whole link. */
function linkIn(data: Record<string, unknown>): string | undefined {
  const text = LINKS.map((name) => data[name]).find((value) => typeof value === 'string' && /^https?:\/\//.test(value))
  if (typeof text !== 'string' || text.length > LONGEST_VALUE || !URL.canParse(text)) return undefined
  const url = new URL(text)
  // A user name in front of the host is there to deceive.
  if (url.username !== '' || url.password !== '') return undefined
  return url.href.replaceAll(/[<>|*_~`()@]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

function linkText(link: string, chat: Chat): string {
  return `<${chat === 'slack' ? link.replaceAll('&', '&amp;') : link}>`
}

function escaped(text: string, chat: Chat): string {
  const line = oneLine(cut(text, LONGEST_VALUE))
  // Behind a sign of no width `@everyone` calls nobody, in either.
  const uncalling = line.replaceAll('@', '@\u200b')
  if (chat === 'slack') return uncalling.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('`', '\u02cb')
  return uncalling.replaceAll(/[\\*_~`|<>#[\]()-]/g, String.raw`\$&`)
}

/** Control characters, line breaks, and what turns the direction of writing. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/g, ' ').trim()
}

/** Neither a character nor an escape is cut in two. */
function cut(text: string, longest: number): string {
  if (text.length <= longest) return text
  return `${text.slice(0, longest - 1).replace(/(\\|&[a-z]{0,3}|[\ud800-\udbff])$/, '')}…`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
