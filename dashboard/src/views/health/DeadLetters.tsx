import { useCallback, useRef, useState, type ReactNode } from 'react'
import type { DeadLetter, HubError } from '@hubbub/client'
import { useDeadLetters, useHubbub } from '@hubbub/react'
import { Failure } from '../../parts/Failure'
import { count } from '../../parts/figures'
import { Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { VirtualList } from '../../parts/VirtualList'
import { DropDialog } from './DropDialog'
import { Letter } from './Letter'
import { nameOf } from './letters'
import css from './health.module.css'

const MOST = 200

/** What could not be committed: to be looked at, tried again or dropped. For admins; those of some projects see theirs. */
export function DeadLetters(): ReactNode {
  const hub = useHubbub()
  const { value, error, isLoading, refresh } = useDeadLetters(MOST)
  const [open, setOpen] = useState<string>()
  const [dropping, setDropping] = useState<DeadLetter>()
  const [busy, setBusy] = useState<string>()
  const [outcome, setOutcome] = useState<string>()
  const [failed, setFailed] = useState<{ name: string; error: HubError }>()
  const status = useRef<HTMLParagraphElement>(null)

  const carryOut = useCallback(async (letter: DeadLetter, act: () => Promise<void>, done: string): Promise<void> => {
    setBusy(keyOf(letter))
    setFailed(undefined)
    setOutcome(undefined)
    try {
      await act()
      setOutcome(`${nameOf(letter)} ${done}`)
      setOpen(undefined)
      // Its row goes: the focus must not go with it.
      status.current?.focus()
    } catch (cause) {
      // Not in its row: what is gone has none any more.
      setFailed({ name: nameOf(letter), error: cause as HubError })
    }
    setBusy(undefined)
    refresh()
  }, [refresh])
  const replay = useCallback((letter: DeadLetter) => void carryOut(letter, () => hub.operator.replayDeadLetter(letter), 'went back to its source stream, to be judged anew: if it is refused again, it comes back here.'), [carryOut, hub])
  const drop = (letter: DeadLetter): void => {
    setDropping(undefined)
    void carryOut(letter, () => hub.operator.dropDeadLetter(letter), 'was dropped for good.')
  }

  const letters = value?.letters ?? []
  return (
    <Panel title="Dead letters" actions={value && <strong className={letters.length > 0 ? css.warn : css.quiet}>{count(letters.length)}{value.more ? '+' : ''}</strong>}>
      <p ref={status} role="status" tabIndex={-1} className={css.outcome}>{outcome}</p>
      {failed && <div><p className={css.text}><Said text={failed.name} most={300} />: that failed.</p><Failure error={failed.error} /></div>}
      {error && (error.code === 'INSUFFICIENT_PERMISSIONS' ? <p className={css.quiet}>Dead letters are for admins (<code>{error.code}</code>).</p> : <Failure error={error} onRetry={refresh} />)}
      {isLoading && <p className={css.quiet}>Reading dead letters…</p>}
      {value && letters.length === 0 && <p className={css.quiet}>None: whatever was accepted stands in the journal.</p>}
      {letters.length > 0 && (
        <VirtualList label="Dead letters" items={letters} keyOf={keyOf} estimate={44} className={css.letters}>
          {(letter) => {
            const key = keyOf(letter)
            return <Letter letter={letter} isOpen={open === key} isBusy={busy === key} onOpen={() => setOpen(open === key ? undefined : key)} onReplay={replay} onDrop={setDropping} />
          }}
        </VirtualList>
      )}
      {value?.more && <p className={css.quiet}>These are the newest {count(letters.length)}; there are older ones: <code>GET /api/v1/dead?limit=1000</code>.</p>}
      {dropping && <DropDialog letter={dropping} onDrop={drop} onKeep={() => setDropping(undefined)} />}
    </Panel>
  )
}

function keyOf({ partition, id }: DeadLetter): string {
  return `${partition}/${id}`
}
