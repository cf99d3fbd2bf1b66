import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { duration, useNow } from '../../parts/Ago'
import { Choice } from '../../parts/Choice'
import { clockOf } from '../../parts/clock'
import { Status } from '../../parts/Status'
import type { Speed } from './playback'
import type { Tape, TapeView } from './tape'
import css from './events.module.css'

interface Barred {
  tape: Tape
  view: TapeView
  /** The visitor went to a time of the past; undefined: back to now. */
  onPlace: (at: number | undefined) => void
}

const SPEEDS = [{ value: '0', label: 'Still' }, { value: '1', label: '1×' }, { value: '10', label: '10×' }, { value: '60', label: '60×' }] as const
const BARS = 120
/** Until a place that is being dragged counts as chosen, ms. */
const SETTLE_MS = 250
/** A silence that is worth a way past it, ms of the visitor's time. */
const LONG_MS = 3000

/** Now, or which time of the past: the slider goes over all that the journal holds. */
export function TimeBar({ tape, view, onPlace }: Barred): ReactNode {
  const { mode, held, waiting, speed, clock, nextAt } = view
  const silence = nextAt !== undefined && clock !== undefined && speed > 0 ? nextAt - clock : 0
  const toLive = (): void => {
    tape.toLive()
    onPlace(undefined)
  }
  return (
    <section className={css.time} aria-label="Time">
      <div className={css.mode} role="status" data-mode={mode === 'past' ? (speed > 0 ? 'playing' : 'past') : held ? 'held' : 'live'}>
        {mode === 'past' && <Status status={speed > 0 ? `past, playing ${speed}×` : 'past'} tone="mark" />}
        {mode === 'live' && (held === 'paused' ? <Status status="paused" tone="warn" /> : held === 'read' ? <Status status="held while you read" tone="warn" /> : <Status status="live tail" tone="good" />)}
      </div>
      {mode === 'live' && <button type="button" aria-pressed={held === 'paused'} onClick={() => (held === 'paused' ? tape.release() : tape.hold('paused'))}>{held === 'paused' ? 'Resume' : 'Pause'}</button>}
      {mode === 'live' && held && <span className={css.waiting}>{waiting.toLocaleString('en')} new</span>}
      {mode === 'past' && (
        <>
          <Choice label="Play" value={String(speed) as `${Speed}`} options={SPEEDS} onChange={(value) => tape.play(Number(value) as Speed)} />
          {silence > LONG_MS * speed && <button type="button" onClick={() => tape.skip()}>Next event in {duration(silence)}: skip</button>}
          <button type="button" className="primary" onClick={toLive}>To live</button>
        </>
      )}
      <TimeSlider tape={tape} view={view} onPlace={onPlace} toLive={toLive} />
    </section>
  )
}

function TimeSlider({ tape, view, onPlace, toLive }: Barred & { toLive: () => void }): ReactNode {
  const { mode, clock, oldest } = view
  const now = useNow()
  const [dragged, setDragged] = useState<number>()
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(settling.current), [])
  const from = oldest === undefined ? undefined : Math.min(oldest, now - 1000)
  const bars = useMemo(() => (from === undefined ? [] : tape.density.bars(from, now, BARS)), [tape, from, now])
  if (from === undefined) return <p className={css.hint}>{view.isReading || view.error ? 'Where the journal begins is not known yet.' : 'The journal holds nothing of this yet.'}</p>

  const value = dragged ?? (mode === 'live' ? now : Math.min(now, Math.max(from, clock ?? now)))
  const go = (to: number): void => {
    setDragged(to)
    clearTimeout(settling.current)
    settling.current = setTimeout(() => {
      setDragged(undefined)
      if (to >= now - (now - from) / 500) return toLive()
      tape.seek(to)
      onPlace(to)
    }, SETTLE_MS)
  }
  const text = mode === 'live' && dragged === undefined ? 'now' : `${clockOf(value)}, ${duration(now - value)} ago`
  return (
    <div className={css.slider}>
      <Strip bars={bars} />
      <input type="range" aria-label="Place in the journal" aria-valuetext={text} min={from} max={now} step="any" value={value} onChange={(event) => go(event.target.valueAsNumber)} />
      <div className={css.ends}><span>{clockOf(from)}</span><output>{text}</output><span>now</span></div>
    </div>
  )
}

/** How many events there were, where that is known. */
function Strip({ bars }: { bars: readonly (number | null)[] }): ReactNode {
  const most = Math.max(1, ...bars.map((count) => count ?? 0))
  return (
    <svg className={css.strip} viewBox={`0 0 ${BARS} 20`} preserveAspectRatio="none" aria-hidden="true">
      {bars.map((count, index) => count !== null && (count === 0 ? <rect key={index} x={index} y={19} width={1} height={1} className={css.none} /> : <rect key={index} x={index + 0.1} y={19 - 18 * Math.sqrt(count / most)} width={0.8} height={1 + 18 * Math.sqrt(count / most)} />))}
    </svg>
  )
}
