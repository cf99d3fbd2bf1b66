import type { ReactNode } from 'react'
import { duration, useNow } from '../parts/Ago'
import { Progress } from '../parts/Progress'
import { Status } from '../parts/Status'
import { useSkew } from './skew'
import { timeOf, useStory, type Story } from './story'
import css from './shell.module.css'

const TEXTS: Readonly<Record<Story['state'], string>> = {
  connecting: 'connecting',
  live: 'live',
  'catching-up': 'catching up',
  offline: 'offline',
  closed: 'closed',
}

const TRANSPORTS: Readonly<Record<string, string>> = { polling: 'over long-polling', http: 'over HTTP requests' }

/** Always in sight: whether the page shows the hub as it is now. */
export function Connection(): ReactNode {
  const story = useStory()
  const { state, transport, gaps } = story
  return (
    <>
      <div className={css.connection} role="status" aria-live="polite" data-connection={state}>
        <Status status={TEXTS[state]} tone={state === 'live' ? (gaps.length > 0 ? 'warn' : 'good') : state === 'offline' || state === 'closed' ? 'bad' : 'busy'} />
        {state === 'live' && transport && TRANSPORTS[transport] && <span className={css.transport}>{TRANSPORTS[transport]}</span>}
        {state === 'catching-up' && <Progress value={story.caughtUp === undefined ? undefined : story.caughtUp * 100} label="Catching up" />}
      </div>
      <Notices story={story} />
    </>
  )
}

function Notices({ story }: { story: Story }): ReactNode {
  const { state, gaps, forgetGaps } = story
  return (
    <div className={css.notices}>
      {(state === 'offline' || state === 'closed') && <Offline story={story} />}
      {gaps.map((gap) => (
        <p key={`${gap.from} ${gap.to}`} className={css.gap} data-gap={gap.reason}>
          <strong>Gap.</strong> Events {between(gap.from, gap.to)} can no longer be had: {WHY[gap.reason] ?? gap.reason}. Fleet, pipelines and tasks were read anew and are complete; lists of events are not.
        </p>
      ))}
      {gaps.length > 0 && <button type="button" onClick={forgetGaps}>Understood</button>}
      <Clocks />
    </div>
  )
}

/** Nothing on the page can be set right by it for certain: so it is told. */
function Clocks(): ReactNode {
  const skew = useSkew()
  if (skew === undefined) return null
  return (
    <p className={css.gap} role="status" data-skew={skew}>
      <strong>Clocks differ.</strong> This machine's is about {duration(Math.abs(skew))} {skew > 0 ? 'ahead of' : 'behind'} the hub's: ages and times to come are wrong by as much.
    </p>
  )
}

const WHY: Readonly<Record<string, string>> = {
  trimmed: 'the journal no longer keeps them',
  epoch: 'the hub\'s store lost them or began anew',
  session: 'the session was lost',
}

function Offline({ story: { state, since, error } }: { story: Story }): ReactNode {
  const now = useNow()
  return (
    <p className={css.offline}>
      <strong>{state === 'closed' ? 'Closed' : 'Offline'}</strong> for {duration(now - since)}. What you see is as it was then; the page {state === 'closed' ? 'does not try again' : 'tries again'} by itself.
      {error && <> Last answer: <code>{error.code}</code>.</>}
    </p>
  )
}

function between(from: string, to: string): string {
  const [first, last] = [timeOf(from), timeOf(to)]
  if (first === undefined || last === undefined) return 'before now'
  return `between ${new Date(first).toLocaleTimeString()} and ${new Date(last).toLocaleTimeString()}`
}
