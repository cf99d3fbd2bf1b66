import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type ReactNode } from 'react'
import type { Client } from '@hubbub/client'
import { useHubbub } from '@hubbub/react'
import { useChoices } from '../../parts/address'
import { Failure } from '../../parts/Failure'
import { counted, rate } from '../../parts/figures'
import { Empty, Loading, Page } from '../../parts/Page'
import { Filters } from './Filters'
import { filterOf, type EventFilter } from './filter'
import { Inspector } from './Inspector'
import { Tail } from './Tail'
import { Tape, type TapeView } from './tape'
import { TimeBar } from './TimeBar'
import type { EventLine } from './roll'
import css from './events.module.css'

export default function Events(): ReactNode {
  const hub = useHubbub()
  const [choices, choose] = useChoices()
  const filter = useMemo(() => filterOf(choices), [choices])
  const tape = useTape(hub, filter)
  const view = useSyncExternalStore(tape.subscribe, tape.snapshot)
  const [chosen, setChosen] = useState<EventLine>()
  useEffect(() => tape.search(filter.text), [tape, filter.text])
  useNowInAddress(tape, view, filter.at, useCallback(() => choose({ at: '' }), [choose]))
  const open = (id: string | undefined, line = id === undefined ? undefined : tape.find(id)): void => {
    setChosen(line)
    choose({ event: id })
  }
  return (
    <Page title="Events" summary={<Summary view={view} />}>
      <Filters filter={filter} choose={choose} />
      <TimeBar tape={tape} view={view} onPlace={(at) => choose({ at: at === undefined ? '' : String(Math.round(at)) })} />
      {view.error && <Failure error={view.error} onRetry={() => (filter.at === undefined ? tape.retry() : tape.seek(filter.at))} />}
      <div className={css.stage} data-inspecting={filter.event !== undefined || undefined}>
        <Tail tape={tape} view={view} selected={chosen?.event.id === filter.event ? chosen?.seq : undefined} onOpen={(line) => open(line.event.id, line)}>
          <Nothing view={view} filter={filter} />
        </Tail>
        {filter.event !== undefined && (
          <Inspector key={filter.event} id={filter.event} tape={tape} line={chosen?.event.id === filter.event ? chosen : undefined} onOpen={(id) => open(id)} onClose={() => open(undefined)} />
        )}
      </div>
    </Page>
  )
}

/** The address says whether it is now: it follows when playing comes to where live begins, and leads when a link takes the time out of it. */
function useNowInAddress(tape: Tape, { mode }: TapeView, at: number | undefined, setNow: () => void): void {
  const before = useRef({ mode, at })
  useEffect(() => {
    const was = before.current
    before.current = { mode, at }
    if (was.mode === 'past' && mode === 'live' && at !== undefined) setNow()
    else if (was.at !== undefined && at === undefined && tape.isPast) tape.toLive()
  }, [tape, mode, at, setNow])
}

/** Another one for other topics or types; search and selection are no reason to read anything again. */
function useTape(hub: Client, filter: EventFilter): Tape {
  const asked = JSON.stringify([filter.topics, filter.types])
  // Where the address points to when the tape is made; where the visitor goes later the tape is told.
  return useMemo(() => new Tape(hub, { topics: filter.topics, ...(filter.types.length > 0 && { types: filter.types }) }, filter.at), [hub, asked])
}

function Summary({ view: { kept, lines, mode, rate: perSecond } }: { view: TapeView }): ReactNode {
  const shown = lines.length < kept ? `${counted(lines.length, 'line')} of ${kept.toLocaleString('en')}` : counted(kept, 'line')
  return <span>{mode === 'live' && `${rate(perSecond)} · `}{shown}</span>
}

/** Why there is nothing, and what would bring something. */
function Nothing({ view, filter }: { view: TapeView; filter: EventFilter }): ReactNode {
  if (view.lines.length > 0 || view.error) return null
  if (view.isReading) return <Loading what="events" />
  if (view.kept > 0) return <Empty>None of the {view.kept.toLocaleString('en')} lines shown has this text. The search looks only at what is shown.</Empty>
  if (view.mode === 'past') return <Empty>{view.canMore ? 'Nothing yet at this time.' : 'Nothing more came after this time.'}</Empty>
  const isAll = filter.topics.join() === '*' && filter.types.length === 0
  return <Empty>{isAll ? 'Nothing has happened yet. Whatever is published comes here at once.' : 'No such event is in the journal. What matches comes here at once.'}</Empty>
}
