/** What the terminal shows meanwhile: one calm line that changes, or, where nobody watches it change, a line a minute of story. */
import { clockFace } from './clock.mjs'

const EACH_MS = 250

/** @param {{ clock: import('./clock.mjs').Clock, figures: () => string, out?: NodeJS.WriteStream }} options */
export function showProgress({ clock, figures, out = process.stdout }) {
  let from = clock.minute()
  let last = 'begins'
  let shown = -1
  const face = () => clockFace(clock.minute() - from)
  const show = () => {
    const minute = Math.floor(clock.minute() - from)
    if (out.isTTY) out.write(`\r\u001b[2K${`${face()}  ${figures()}  ${last}`.slice(0, (out.columns ?? 80) - 1)}`)
    else if (minute > shown) out.write(`${face()}  ${figures()}  ${last}\n`)
    shown = minute
  }
  const timer = setInterval(show, EACH_MS)
  return {
    beat(/** @type {string} */ what) {
      last = what
      if (out.isTTY) show()
    },
    /** A line that stays. */
    line(/** @type {string} */ text) {
      out.write(out.isTTY ? `\r\u001b[2K${text}\n` : `${text}\n`)
    },
    newHour() {
      from = clock.minute()
      shown = -1
    },
    stop() {
      clearInterval(timer)
      if (out.isTTY) out.write('\r\u001b[2K')
    },
  }
}
