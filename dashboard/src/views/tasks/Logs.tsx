import { memo, useMemo, useState, type ReactNode } from 'react'
import { Choice } from '../../parts/Choice'
import { Empty, Panel } from '../../parts/Page'
import { Said } from '../../parts/Said'
import { VirtualList } from '../../parts/VirtualList'
import type { Level, Line } from './past'
import css from './task.module.css'

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']
const MOST_CHARACTERS = 4000

/** What its agents logged and printed; at the end it follows what comes, until the reader scrolls away. */
export const Logs = memo(function Logs({ lines, dropped }: { lines: readonly Line[]; dropped: number }): ReactNode {
  const [least, setLeast] = useState<Level>('debug')
  const [follow, setFollow] = useState(true)
  const found = useMemo(() => lines.filter(({ level }) => LEVELS.indexOf(level) >= LEVELS.indexOf(least)), [lines, least])
  const options = LEVELS.map((value) => ({ value, label: value === 'debug' ? 'all' : value === 'error' ? 'errors' : `${value} +` }))
  return (
    <Panel
      title="Log"
      actions={<span className={css.tools}><Choice label="Least level" value={least} options={options} onChange={setLeast} /><button type="button" aria-pressed={follow} onClick={() => setFollow(!follow)}>Follow</button></span>}
    >
      {dropped > 0 && <p className={css.note}>{dropped} older lines are not kept on this page.</p>}
      {found.length === 0
        ? <Empty>{lines.length === 0 ? 'No log lines or output of this task.' : 'No line of this level.'}</Empty>
        : <VirtualList label="Log lines" items={found} keyOf={({ key }) => key} estimate={22} follow={follow} onFollow={setFollow} className={css.log}>{(line) => <One line={line} />}</VirtualList>}
    </Panel>
  )
})

const One = memo(function One({ line: { at, level, agentId, text, stream } }: { line: Line }): ReactNode {
  return (
    <div className={`${css.logLine} ${level === 'error' ? css.atError : level === 'warn' ? css.atWarn : ''}`}>
      <span className={css.when}>{new Date(at).toLocaleTimeString()}</span>
      <span className={css.level}>{stream ?? level}</span>
      <span className={css.text}>
        {agentId !== undefined && <bdi className={css.note}>{agentId} </bdi>}
        <Said text={text} most={MOST_CHARACTERS} />
        {text.length > MOST_CHARACTERS && <span className={css.note}> cut: {text.length.toLocaleString('en')} characters</span>}
      </span>
    </div>
  )
})
