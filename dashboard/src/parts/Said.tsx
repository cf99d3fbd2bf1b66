/** Others' text as text: what could move a cursor or turn the reading direction is shown, not obeyed; what is endless is cut. */
import type { ReactNode } from 'react'

const MOST = 2000
// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g
/** Marks upon marks on one character cannot be broken into lines, and stand over what is above and below. */
const PILED = /(\p{M}{3})\p{M}+/gu

export function shown(text: string, most = MOST): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text
  return cut.replace(UNSEEN, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`).replace(/\p{Surrogate}/gu, '\ufffd').replace(PILED, '$1…')
}

export function Said({ text, className = 'said', most }: { text: string; className?: string; most?: number }): ReactNode {
  return <bdi className={className}>{shown(text, most)}</bdi>
}
