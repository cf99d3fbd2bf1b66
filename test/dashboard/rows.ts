/** What a view says of each entity, row by row, those included that a virtual list makes only when one scrolls to them. */
import type { EntityView, Kind } from '@hubbub/client'
import type { Opened } from './opened.js'

/** By `kind:id`. Status and progress in percent; `-` where no progress is shown. */
export type Rows = Record<string, string>

/** A row that stands in several places must say the same in all of them: otherwise all that it says stands there. */
export function rowsOf({ page }: Opened): Promise<Rows> {
  return page.evaluate(async () => {
    const said = new Map<string, Set<string>>()
    const take = (): void => {
      for (const row of document.querySelectorAll<HTMLElement>('main [data-row]')) {
        const { row: key = '', status = '' } = row.dataset
        const words = said.get(key) ?? new Set()
        // An agent's bar is its task's.
        const bar = key.startsWith('agent:') ? undefined : row.querySelector('[role=progressbar]')
        said.set(key, words.add(`${status} ${bar?.getAttribute('aria-valuenow') ?? '-'}`))
      }
    }
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    const scrolls = (element: Element): boolean => element.scrollHeight > element.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(element).overflowY)
    for (const box of [document.scrollingElement!, ...[...document.querySelectorAll('main, main *')].filter(scrolls)]) {
      box.scrollTop = 0
      for (let before = -1; before !== box.scrollTop; ) {
        await frame()
        take()
        before = box.scrollTop
        box.scrollTop += box.clientHeight * 0.7
      }
      box.scrollTop = 0
    }
    return Object.fromEntries([...said].map(([key, words]) => [key, [...words].join(' and ')]))
  })
}

/** What the rows of these must say. */
export function expectedRows(entities: readonly EntityView[]): Rows {
  return Object.fromEntries(entities.map((entity) => [`${entity.kind}:${entity.id}`, `${'status' in entity ? entity.status : ''} ${progressOf(entity)}`]))
}

function progressOf(entity: EntityView): string {
  const { kind } = entity as { kind: Kind }
  if (kind === 'agent') return '-'
  const { progress, progressPercentage } = entity as { progress?: number; progressPercentage?: number }
  const value = progress ?? progressPercentage
  return value === undefined ? '-' : String(Math.round(value))
}
