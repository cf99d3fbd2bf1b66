import { useMemo, useState, useSyncExternalStore, type ReactNode } from 'react'
import { useEntity, useHubbub } from '@hubbub/react'
import { Link } from 'wouter'
import { useAddressId } from '../../parts/address'
import { Failure } from '../../parts/Failure'
import { Empty, Loading, Page } from '../../parts/Page'
import { shown } from '../../parts/Said'
import { Status, type Tone } from '../../parts/Status'
import { ToEvents } from '../../parts/To'
import { useFollow } from '../../parts/useFollow'
import { Entry } from './Entry'
import type { Item } from './items'
import { Side } from './Side'
import { Story, type RunHead, type RunStory } from './story'
import css from './runs.module.css'

/** Items that are drawn before somebody asks for earlier ones. */
const FIRST = 200

export default function Run(): ReactNode {
  const id = useAddressId()
  return <RunView key={id} id={id} />
}

function RunView({ id }: { id: string }): ReactNode {
  const hub = useHubbub()
  const store = useMemo(() => new Story(hub, id), [hub, id])
  const story = useSyncExternalStore(store.subscribe, store.snapshot)
  const { entity } = useEntity('run', id === '' ? undefined : id)
  const { head, events, isReading, error } = story
  const isKnown = events > 0 || entity !== undefined
  const status = head.status === 'unknown' ? (entity?.status ?? head.status) : head.status
  return (
    <Page
      title={`Run ${shown(id, 80)}`}
      summary={isKnown && <span role="status" data-row={`run:${id}`} data-status={status}><Status status={status} tone={TONES[status]} /></span>}
      actions={<><ToEvents topic={`run:${id}`}>Events</ToEvents><Link href="/runs">All runs</Link></>}
    >
      {error && <Failure error={error} />}
      {!isKnown && !error && (isReading ? <Loading what="the run" /> : <Empty>There is no run of this name, or no longer. <Link href="/runs">All runs</Link></Empty>)}
      {isKnown && (
        <div className={css.stage}>
          <Talk story={story} />
          <Side id={id} story={story} entity={entity} />
        </div>
      )}
    </Page>
  )
}

const TONES: Readonly<Record<RunHead['status'], Tone>> = { unknown: 'idle', running: 'busy', finished: 'good', interrupted: 'warn', cancelled: 'idle', failed: 'bad' }

function Talk({ story }: { story: RunStory }): ReactNode {
  const { items, dropped, isHeadless, earlier, isReading, head, events } = story
  const [most, setMost] = useState(FIRST)
  const { box, onScroll, isFollowing, follow } = useFollow(items)
  const names = useMemo(() => subagentsOf(items), [items])
  const hidden = Math.max(0, items.length - most)
  return (
    <div className={css.talk}>
      <div ref={box} className={css.scroll} role="region" aria-label="Conversation" tabIndex={0} onScroll={onScroll}>
        <div>
          {earlier > 0 && <p className={css.missing}>{earlier === 1 ? 'A run' : `${earlier} runs`} of the same name came before this one, and {earlier === 1 ? 'is' : 'are'} not shown.</p>}
          {isHeadless && <p className={css.missing}>The journal no longer holds the beginning of this run: what goes on with something missing is marked incomplete.</p>}
          {events === 0 && !isReading && <Empty>The journal no longer holds what was said in this run; beside this is what is known of it.</Empty>}
          {dropped > 0 && <p className={css.missing}>{dropped.toLocaleString('en')} earlier items are too many to be kept here.</p>}
          {hidden > 0 && <p><button type="button" onClick={() => setMost(most + FIRST)}>{Math.min(hidden, FIRST).toLocaleString('en')} of {hidden.toLocaleString('en')} earlier ones</button></p>}
          {items.slice(hidden).map((item) => <Entry key={item.key} item={item} by={item.subagent === undefined ? undefined : (names.get(item.subagent) ?? item.subagent)} />)}
          <End head={head} />
        </div>
      </div>
      {!isFollowing && head.endedAt === undefined && <button type="button" className={`primary ${css.more}`} onClick={follow}>To the end <span aria-hidden="true">↓</span></button>}
    </div>
  )
}

function subagentsOf(items: readonly Item[]): Map<string, string> {
  return new Map(items.flatMap((item) => (item.kind === 'subagent' ? [[item.id, item.name] as const] : [])))
}

/** How it ended, behind the last that was said. */
function End({ head }: { head: RunHead }): ReactNode {
  const { status, error, endedAt } = head
  if (endedAt === undefined) return status === 'running' ? <p className={css.line}><Status status="running" /></p> : null
  return (
    <div className={css.end} data-outcome={status}>
      <Status status={status} tone={TONES[status]} />
      {error && <span>{error.code !== undefined && <code>{shown(error.code, 80)} </code>}<bdi>{shown(error.message)}</bdi></span>}
    </div>
  )
}
