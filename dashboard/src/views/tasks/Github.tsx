import { memo, type ReactNode } from 'react'
import { Ago } from '../../parts/Ago'
import { Out } from '../../parts/Out'
import { Panel } from '../../parts/Page'
import { Said, shown } from '../../parts/Said'
import { Status, type Tone } from '../../parts/Status'
import { ToEvents } from '../../parts/To'
import type { GithubState, Pull } from './pulls'
import css from './task.module.css'

const TONES: Readonly<Record<string, Tone>> = {
  merged: 'mark', open: 'good', closed: 'bad', draft: 'idle', approved: 'good', changes_requested: 'bad', commented: 'idle', dismissed: 'idle',
  success: 'good', failure: 'bad', timed_out: 'bad', action_required: 'warn', cancelled: 'idle', skipped: 'idle', neutral: 'idle', stale: 'warn',
  queued: 'idle', waiting: 'idle', requested: 'idle', pending: 'busy', in_progress: 'busy', error: 'bad',
}
const OTHERS = 5

/** Its branch, pull request and checks, as GitHub told of them. */
export const Github = memo(function Github({ refs, state: { pulls, checks, others } }: { refs: readonly string[]; state: GithubState }): ReactNode {
  if (refs.length + pulls.size + checks.size + others.length === 0) return null
  const silent = refs.filter((ref) => ref.startsWith('pr:') && !pulls.has(ref.slice('pr:'.length)))
  return (
    <Panel title="GitHub">
      {[...pulls.values()].reverse().map((pull) => <PullRequest key={pull.name} pull={pull} />)}
      {silent.map((ref) => <p key={ref} className={css.line}><bdi>{shown(ref, 120)}</bdi> <span className={css.note}>no event of it is in the journal</span></p>)}
      {checks.size > 0 && (
        <ul className={css.checks} aria-label="Checks">
          {[...checks.values()].reverse().map(({ name, kind, state, url, at }) => (
            <li key={`${kind} ${name}`}><Status status={state} tone={toneOf(state)} /> <Out href={url}><Said text={name} most={80} /></Out> <span className={css.note}>{kind} <Ago at={at} /></span></li>
          ))}
        </ul>
      )}
      {others.length > 0 && <ul className={css.checks} aria-label="Other GitHub events">{others.slice(-OTHERS).reverse().map(({ key, what, url, at }) => <li key={key}><Out href={url}><Said text={what} most={160} /></Out> <span className={css.note}><Ago at={at} /></span></li>)}</ul>}
      <Refs refs={refs} />
    </Panel>
  )
})

function PullRequest({ pull: { name, title, state, url, branches, reviews, at } }: { pull: Pull }): ReactNode {
  return (
    <section className={css.pull} aria-label={`Pull request ${shown(name, 100)}`}>
      <p className={css.line}><Status status={state ?? 'state unknown'} tone={toneOf(state ?? '')} /> <Out href={url}><Said text={name} most={100} /></Out> <span className={css.note}><Ago at={at} /></span></p>
      {title !== undefined && <p className={css.line}><Said text={title} most={200} /></p>}
      {branches !== undefined && <p className={css.line}><code><Said text={branches} most={160} /></code></p>}
      {reviews.size > 0 && <ul className={css.checks} aria-label="Reviews">{[...reviews].map(([user, said]) => <li key={user}><Status status={said} tone={toneOf(said)} /> <Said text={user} most={60} /></li>)}</ul>}
    </section>
  )
}

const REFS = 6

function Refs({ refs }: { refs: readonly string[] }): ReactNode {
  const linked = refs.filter((ref) => !ref.startsWith('sha:'))
  if (linked.length === 0) return null
  return <p className={css.note}>Tied to {linked.slice(-REFS).map((ref, index) => <span key={ref}>{index > 0 && ', '}<ToEvents topic={ref}><bdi>{shown(ref, 80)}</bdi></ToEvents></span>)}{linked.length > REFS && ` and ${linked.length - REFS} more`}</p>
}

function toneOf(state: string): Tone {
  return Object.hasOwn(TONES, state) ? TONES[state]! : 'idle'
}
