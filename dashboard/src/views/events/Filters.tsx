import { useEffect, useId, useState, type FormEvent, type ReactNode } from 'react'
import { Search } from '../../parts/Choice'
import type { Choose } from '../../parts/address'
import { wordsOf, type EventFilter } from './filter'
import css from './events.module.css'

const TOPICS = ['*', 'task:*', 'agent:*', 'pipeline:*', 'stream:*', 'checkpoint:*', 'run:*', 'repo:*', 'pr:*', 'system', 'project']
const TYPES = ['task.*', 'agent.*', 'pipeline.*', 'stream.*', 'checkpoint.*', 'tdd.*', 'github.*', 'agui.*', 'system.*', 'custom.*']

/** Topics and types are asked of the hub when they are complete, by Enter or by leaving the field; text is looked for at once. */
export function Filters({ filter, choose }: { filter: EventFilter; choose: Choose }): ReactNode {
  const [text, setText] = useState(filter.text)
  useEffect(() => setText(filter.text), [filter.text])
  useEffect(() => {
    if (text === filter.text) return
    const timer = setTimeout(() => choose({ q: text }), 200)
    return () => clearTimeout(timer)
  }, [text, filter.text, choose])
  return (
    <div className={css.filters} role="search">
      <Patterns label="Topics" value={filter.topics.join(' ')} offered={TOPICS} placeholder="* (all), task:*, agent:coder-1" onChange={(words) => choose({ topic: words.join() === '*' ? '' : words.join(','), event: '', at: '' })} />
      <Patterns label="Types" value={filter.types.join(' ')} offered={TYPES} placeholder="all, or task.*, agent.log" onChange={(words) => choose({ type: words.join(','), event: '', at: '' })} />
      <Search label="Search in what is shown" value={text} onChange={setText} placeholder="Text in what is shown" />
    </div>
  )
}

interface Offered {
  label: string
  value: string
  offered: readonly string[]
  placeholder: string
  onChange: (words: string[]) => void
}

function Patterns({ label, value, offered, placeholder, onChange }: Offered): ReactNode {
  const [text, setText] = useState(value)
  const id = useId()
  useEffect(() => setText(value), [value])
  const give = (): void => {
    const words = wordsOf(text)
    if (words.join(' ') === value) setText(value)
    else onChange(words)
  }
  return (
    <form className={css.patterns} onSubmit={(event: FormEvent) => {
      event.preventDefault()
      give()
    }}>
      <label htmlFor={id}>{label}</label>
      <input id={id} value={text} list={`${id}-offered`} placeholder={placeholder} spellCheck={false} autoCapitalize="none" autoComplete="off" onChange={(event) => setText(event.target.value)} onBlur={give} />
      <datalist id={`${id}-offered`}>{offered.map((one) => <option key={one} value={one} />)}</datalist>
    </form>
  )
}
