/** A page as one sees it who has a keyboard alone: what Tab comes to, and whether one sees where one is. */
import type { Page } from 'playwright-core'

/** Whatever a mouse could work. */
const INTERACTIVE = 'a[href], button, input, select, textarea, summary, [role=button], [role=link], [role=tab], [role=switch], [role=checkbox], [role=slider], [tabindex="0"]'
/** What may be one stop, within which arrow keys move: of its other elements each says so by tabindex -1. */
const COMPOSITES = '[role=tablist], [role=listbox], [role=list], [role=tree], [role=grid], [role=menu], [role=radiogroup], [role=toolbar]'
/** More stops than a page may have: a trap, or nobody would get anywhere. */
const MOST_STOPS = 400

export interface Walked {
  stops: number
  /** Interactive elements that Tab never came to. */
  missed: string[]
  /** Stops at which nothing shows the focus. */
  unseen: string[]
  /** Composites of several elements and one stop, from which no arrow key led on. */
  stuck: string[]
}

export async function walkByTab(page: Page): Promise<Walked> {
  await page.evaluate(begin, { interactive: INTERACTIVE, composites: COMPOSITES })
  let stops = 0
  for (; stops < MOST_STOPS; stops++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(arrive)) break
  }
  const { missed, unseen } = await page.evaluate(end)
  return { stops, missed: stops === MOST_STOPS ? [`no end after ${MOST_STOPS} stops`, ...missed] : missed, unseen, stuck: await walkByArrows(page) }
}

async function walkByArrows(page: Page): Promise<string[]> {
  const stuck: string[] = []
  const count = await page.evaluate(() => globalThis.tabNotes.composites.length)
  for (let index = 0; index < count; index++) {
    const name = await page.evaluate((at) => globalThis.tabNotes.enter(at), index)
    if (name === undefined) continue
    let hasMoved = false
    for (const key of ['ArrowRight', 'ArrowDown']) {
      if (hasMoved) break
      await page.keyboard.press(key)
      // The next one may be made only after the list has scrolled.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
      hasMoved = await page.evaluate((at) => globalThis.tabNotes.hasMoved(at), index)
    }
    if (!hasMoved) stuck.push(name)
  }
  return stuck
}

interface Notes {
  look(element: Element): string
  name(element: Element): string
  plain: Map<Element, string>
  visited: Set<Element>
  unseen: string[]
  /** Each with the stop at which it was entered last. */
  composites: { box: Element; stop?: Element | null }[]
  /** Gives the stop of a composite the focus; answers its name, or nothing when it is gone. */
  enter(index: number): string | undefined
  hasMoved(index: number): boolean
}

declare global {
  // oxlint-disable-next-line no-var
  var tabNotes: Notes
}

function begin({ interactive, composites: roles }: { interactive: string; composites: string }): void {
  ;(document.activeElement as HTMLElement | null)?.blur()
  window.getSelection()?.removeAllRanges()
  const name = (element: Element): string => `<${element.tagName.toLowerCase()}> ${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40)}`
  const look = (element: Element): string => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor, textDecorationLine } = getComputedStyle(element)
    return [outlineStyle === 'none' ? '' : `${outlineStyle} ${outlineWidth} ${outlineColor}`, boxShadow, borderColor, backgroundColor, textDecorationLine].join(' | ')
  }
  const isOperable = (element: Element): boolean => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: false }) || element.closest('[inert], [aria-hidden=true]')) return false
    if ((element as HTMLButtonElement).disabled) return false
    // It is moved to from the one stop of what holds it, or by nothing: then it is missed.
    if (element.getAttribute('tabindex') === '-1') return !element.closest(roles)?.querySelector('[tabindex="0"]')
    if (element instanceof HTMLInputElement && element.type === 'radio') return element.checked
    return true
  }
  const plain = new Map([...document.querySelectorAll(interactive)].filter(isOperable).map((element) => [element, look(element)]))
  const composites: Notes['composites'] = [...document.querySelectorAll(roles)]
    .filter((box) => box.checkVisibility() && box.querySelector('[tabindex="0"]') && box.querySelector(':is(a, button, [role])[tabindex="-1"]'))
    .map((box) => ({ box }))
  globalThis.tabNotes = {
    look, name, plain, visited: new Set(), unseen: [], composites,
    enter(index) {
      const composite = composites[index]!
      composite.stop = composite.box.querySelector('[tabindex="0"]')
      if (!(composite.stop instanceof HTMLElement)) return undefined
      composite.stop.focus()
      return name(composite.box)
    },
    hasMoved(index) {
      const { box, stop } = composites[index]!
      return document.activeElement !== stop && box.contains(document.activeElement)
    },
  }
  // A fresh start for the order of focus: without it Tab goes on where the last click was.
  const start = document.createElement('span')
  start.tabIndex = -1
  document.body.prepend(start)
  start.focus()
  start.remove()
}

/** Answers whether the way is at its end: outside of the page, or at a stop of before. */
function arrive(): boolean {
  const { look, name, plain, visited, unseen } = globalThis.tabNotes
  const at = document.activeElement
  if (!at || at === document.body || visited.has(at)) return true
  visited.add(at)
  const before = plain.get(at)
  if (before === undefined ? getComputedStyle(at).outlineStyle === 'none' : look(at) === before) unseen.push(name(at))
  return false
}

function end(): Pick<Walked, 'missed' | 'unseen'> {
  const { name, plain, visited, unseen } = globalThis.tabNotes
  // What a virtual list took out while it scrolled is no longer there to be reached.
  return { missed: [...plain.keys()].filter((element) => !visited.has(element) && element.isConnected).map(name), unseen }
}
