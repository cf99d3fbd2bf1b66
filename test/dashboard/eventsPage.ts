/** The events' view as its tests handle it. */
import type { Locator } from 'playwright-core'
import type { EventInput } from '@hubbub/protocol'
import type { Opened } from './opened.js'

export const hello = (text: string, more: Partial<EventInput> = {}): EventInput => ({ type: 'custom.hello', topics: ['project'], data: { text }, ...more })
export const hellos = (from: number, to: number): EventInput[] => Array.from({ length: to - from + 1 }, (_, index) => hello(`hello ${from + index}`))

export const list = ({ page }: Opened): Locator => page.getByRole('listbox', { name: /^Events/ })

/** @param text at the end of the line */
export function row(opened: Opened, text: string | RegExp): Locator {
  return list(opened).getByRole('option').filter({ hasText: typeof text === 'string' ? new RegExp(`${text}$`) : text })
}

/** What the lines say, the oldest first; of a greeting only that. */
export async function texts(opened: Opened): Promise<string[]> {
  return (await list(opened).getByRole('option').allTextContents()).map((text) => /(hello \d+)$/.exec(text)?.[1] ?? text)
}

export const field = ({ page }: Opened, name: string): Locator => page.getByRole('combobox', { name, exact: true })
export const button = ({ page }: Opened, name: string | RegExp): Locator => page.getByRole('button', { name })
export const inspector = ({ page }: Opened): Locator => page.getByRole('region', { name: /\./ })
export const slider = ({ page }: Opened): Locator => page.getByRole('slider', { name: 'Place in the journal' })

/** Waits until it is live, held, past or playing. */
export const mode = ({ page }: Opened, is: string): Promise<void> => page.locator(`[data-mode="${is}"]`).waitFor()

/** What the address says behind the view. */
export function choicesOf(address: string): URLSearchParams {
  return new URLSearchParams(new URL(address).hash.split('?')[1])
}

export function withChoice(address: string, name: string, value: string): string {
  const url = new URL(address)
  const choices = choicesOf(address)
  choices.set(name, value)
  url.hash = `${url.hash.split('?')[0]}?${choices.toString()}`
  return url.href
}
