import { memo, type ReactNode } from 'react'
import type { Gap } from '@hubbub/client'
import { duration } from '../../parts/Ago'
import { clockOf } from '../../parts/clock'
import { Json } from '../../parts/Json'
import { Said, shown } from '../../parts/Said'
import { Status, type Tone } from '../../parts/Status'
import { To } from '../../parts/To'
import { timeOf } from '../../shell/story'
import { Call } from './Call'
import { Prose } from './Prose'
import type { ActivityItem, Item, MessageItem, StepItem, SubagentItem } from './items'
import css from './runs.module.css'

interface Entered {
  item: Item
  /** Name of the subagent that said it. */
  by: string | undefined
}

/** One thing of a conversation. What did not change is not drawn again. */
export const Entry = memo(function Entry({ item, by }: Entered): ReactNode {
  return (
    <article className={css.entry} data-kind={item.kind} aria-label={labelOf(item)}>
      <Time at={item.at} />
      <div className={css.body}>
        {by !== undefined && <span className={css.by}>by <Said text={by} most={80} /></span>}
        <Content item={item} />
      </div>
    </article>
  )
})

function Content({ item }: { item: Item }): ReactNode {
  switch (item.kind) {
    case 'message':
      return item.role === 'reasoning' ? <Reasoning item={item} /> : <Message item={item} />
    case 'call':
      return <Call item={item} />
    case 'activity':
      return <Activity item={item} />
    case 'step':
      return <Step item={item} />
    case 'subagent':
      return <Subagent item={item} />
    case 'note':
      return <details className={css.note}><summary><Said text={item.label} most={120} /></summary><Json value={item.value} label={item.label} /></details>
    case 'subrun':
      return <p className={css.line}>Another run <To kind="run" id={item.runId} /> {item.status === 'running' ? 'began' : 'ended'}.</p>
    case 'gap':
      return <GapLine gap={item.gap} />
    case 'trouble':
      return <p className={css.missing}>{item.text}</p>
  }
}

function Message({ item }: { item: MessageItem }): ReactNode {
  const { role, name, text, attached, isOpen, isPartial } = item
  return (
    <div className={css.message} data-role={role}>
      <header><strong>{role === '' ? 'Message' : ROLES[role] ?? shown(role, 40)}</strong>{name !== undefined && <> <Said text={name} most={80} /></>} <State isOpen={isOpen} isPartial={isPartial} /></header>
      {text !== '' && <Prose text={text} isOpen={isOpen} />}
      {attached.map((one, index) => <p key={index} className={css.attached}>Attached: <Said text={one} most={200} /></p>)}
    </div>
  )
}

const ROLES: Readonly<Record<string, string>> = { user: 'User', assistant: 'Assistant', system: 'System', developer: 'Developer' }

/** While it is being thought it is open. */
function Reasoning({ item: { text, isOpen, isPartial } }: { item: MessageItem }): ReactNode {
  return (
    <details className={css.reasoning} open={isOpen}>
      <summary>Reasoning <State isOpen={isOpen} isPartial={isPartial} /></summary>
      <Prose text={text} isOpen={isOpen} />
    </details>
  )
}

export function State({ isOpen, isPartial }: { isOpen: boolean; isPartial: boolean }): ReactNode {
  return (
    <>
      {isOpen && <Status status="streaming" tone="busy" />}
      {isPartial && <Status status="incomplete" tone="warn" title="Something of it is missing" />}
    </>
  )
}

function Activity({ item: { activityType, content, trouble } }: { item: ActivityItem }): ReactNode {
  return (
    <div className={css.activity}>
      <header><strong>Activity</strong> <Said text={activityType} most={120} /></header>
      {trouble !== undefined && <p className={css.missing}>May be wrong: <Said text={trouble} most={300} />.</p>}
      <Json value={content} label={`Activity ${activityType}`} />
    </div>
  )
}

function Step({ item: { name, at, endedAt } }: { item: StepItem }): ReactNode {
  return <p className={css.line}><strong>Step</strong> <Said text={name} most={200} /> {endedAt === undefined ? <Status status="running" /> : <span className={css.aside}>took {duration(endedAt - at)}</span>}</p>
}

const SUBAGENTS: Readonly<Record<SubagentItem['status'], Tone>> = { running: 'busy', finished: 'good', suspended: 'warn', failed: 'bad' }

function Subagent({ item: { name, description, status, said } }: { item: SubagentItem }): ReactNode {
  return (
    <div className={css.activity}>
      <header><strong>Subagent</strong> <Said text={name} most={120} /> <Status status={status} tone={SUBAGENTS[status]} /></header>
      {description !== undefined && <p><Said text={description} most={1000} /></p>}
      {said !== undefined && (typeof said === 'string' ? <Prose text={said} /> : <Json value={said} label={`Result of ${name}`} />)}
    </div>
  )
}

function GapLine({ gap }: { gap: Gap }): ReactNode {
  const [from, to] = [timeOf(gap.from), timeOf(gap.to)]
  const when = from === undefined || to === undefined ? '' : ` between ${clockOf(from)} and ${clockOf(to)}`
  return <p className={css.missing} data-gap={gap.reason}><strong>Gap.</strong> Events{when} can no longer be had. What was open goes on incomplete.</p>
}

function Time({ at }: { at: number }): ReactNode {
  return <time className={css.at} dateTime={new Date(at).toISOString()}>{clockOf(at)}</time>
}

function labelOf(item: Item): string {
  switch (item.kind) {
    case 'message':
      return item.role === 'reasoning' ? 'Reasoning' : `Message of ${item.role === '' ? 'somebody' : shown(item.role, 40)}`
    case 'call':
      return `Tool call ${shown(item.name, 80)}`
    case 'step':
      return `Step ${shown(item.name, 80)}`
    default:
      return item.kind === 'gap' ? 'Gap' : item.kind
  }
}
