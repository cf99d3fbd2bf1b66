/** `hubbub` on a real terminal: a pty of `script`, and a terminal emulator that knows what stands on the screen. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import xterm from '@xterm/headless'
import { ended, leash } from '../harness/leash.js'

const PROGRAM = resolve('server/bin/hubbub.mjs')

export interface Terminal {
  /** The lines that are seen now, without what stands behind their ends. */
  lines(): string[]
  text(): string
  /** Everything that was written to it. */
  written(): string
  /** The alternate screen is shown. */
  isFullScreen(): boolean
  isCursorHidden(): boolean
  press(keys: string): void
  /** The window's title, should anybody have set it. */
  title(): string
  /** Times that the bell was rung. */
  bells(): number
  pid: Promise<number>
  /** Ends it, should it still run. */
  close(): Promise<void>
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export function startOnTerminal(args: string[], env: Record<string, string>, { columns = 120, rows = 30 } = {}): Terminal {
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 5000 })
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HUBBUB_|REDIS_URL$|NODE_OPTIONS$|NODE_ENV$|JEST_|NO_COLOR$)/.test(name)))
  const quoted = [process.execPath, PROGRAM, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  // Its own pid first: what is signalled is the program, not the pty around it.
  const command = `stty cols ${columns} rows ${rows}; echo "pid $$"; exec ${quoted}`
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], { env: { ...own, SHELL: '/bin/sh', TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  leash(child)
  const exited = ended(child)
  child.stdin.on('error', () => {})
  let written = ''
  let title = ''
  let bells = 0
  screen.onTitleChange((text) => (title = text))
  screen.onBell(() => bells++)
  const toldPid = (): number | undefined => Number(/pid (\d+)/.exec(written)?.[1]) || undefined
  const pid = new Promise<number>((told) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written += text
      screen.write(text)
      if (toldPid()) told(toldPid()!)
    })
  })
  const lines = (): string[] => {
    const buffer = screen.buffer.active
    return Array.from({ length: buffer.type === 'alternate' ? rows : buffer.length }, (_, index) => buffer.getLine(index)?.translateToString(true) ?? '')
  }
  return {
    lines,
    text: () => lines().join('\n'),
    written: () => written,
    isFullScreen: () => screen.buffer.active.type === 'alternate',
    // The emulator does not tell: the last word on it counts.
    isCursorHidden: () => written.lastIndexOf('\u001b[?25l') > written.lastIndexOf('\u001b[?25h'),
    press: (keys) => void child.stdin.write(keys),
    title: () => title,
    bells: () => bells,
    pid,
    exited,
    async close() {
      const running = toldPid()
      if (child.exitCode === null && running) process.kill(running, 'SIGKILL')
      await exited
      screen.dispose()
    },
  }
}
