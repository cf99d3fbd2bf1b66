/** Whether a page stays within its width. */
import type { Page } from 'playwright-core'

/**
 * One line for each thing that makes the page, or its content, wider than the window. Parts that scroll sideways on purpose (`overflow-x`: a
 * table, a time line, code) may hold more than they show.
 */
export function overflows(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const wide = document.documentElement.scrollWidth
    // White space at a line's end may hang over without making anything wider; unless what is too wide is cut off, the page's own width tells.
    const isCut = [document.documentElement, document.body].some((element) => /hidden|clip/.test(getComputedStyle(element).overflowX))
    if (wide <= width && !isCut) return []
    const found = wide > width ? [`the page is ${wide} px wide in a window of ${width}`] : []
    const isHeld = (element: Element): boolean => {
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) if (getComputedStyle(at).overflowX !== 'visible') return true
      return false
    }
    for (const element of document.body.querySelectorAll('*')) {
      const { left, right, width: own } = element.getBoundingClientRect()
      // What stands wholly to the left is put aside on purpose, until it gets the focus.
      if (own === 0 || right <= 0 || (right <= width + 1 && left >= -1) || isHeld(element)) continue
      found.push(`<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}"> from ${Math.round(left)} to ${Math.round(right)}: ${(element.textContent ?? '').slice(0, 60)}`)
      if (found.length > 5) break
    }
    return found
  })
}
