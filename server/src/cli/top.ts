import type { Client } from '@hubbub/client'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { JSON_FLAG, print, printJson } from './print.js'
import { openClient } from './remote.js'
import { inkOf } from './terminal/paint.js'
import { Screen } from './terminal/screen.js'
import { frameOf, type Frame } from './top/frame.js'
import type { Where } from './top/head.js'
import { Model } from './top/model.js'
import { FIRST, pressed, type View } from './top/view.js'

const DRAW_MS = 1000
/** What comes in a burst is one picture. */
const SOON_MS = 100

export const top: Command = {
  usage: 'top [--once] [--json]',
  about: 'The fleet and the hub on the whole terminal, live: `?` shows the keys. With --once one picture; in a pipe it is JSON. Rates and health need an operator\'s token.',
  flags: {
    once: { env: 'HUBBUB_ONCE', about: 'One picture, then the end.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    if (call.words.length > 0) throw new UsageError(`'${call.words[0]}' is one word too many`)
    const remote = readRemote(call)
    const client = await openClient(remote)
    const model = new Model(client)
    try {
      await model.start()
      const { url, project } = remote
      const where = { url, ...(project && { project }) }
      if (call.on('json') || (!process.stdout.isTTY && !call.on('once'))) printJson({ overview: model.overview ?? null, agents: model.agents, tasks: model.tasks })
      else if (call.on('once') || !process.stdin.isTTY) still(call, model, where)
      else return await live(call, client, model, where)
      return 0
    } finally {
      model.close()
      client.close()
    }
  },
}

function still(call: Call, model: Model, where: Where): void {
  const columns = process.stdout.columns || 120
  const ink = process.stdout.isTTY ? inkOf(call.env) : { isColoured: false }
  const rows = model.agents.length + 12
  const { lines } = frameOf(model, FIRST, where, { columns, rows, isStill: true }, ink)
  for (const line of lines.slice(0, -1)) print(line.trimEnd())
}

function live(call: Call, client: Client, model: Model, where: Where): Promise<number> {
  return new Promise((resolve, reject) => {
    const ink = inkOf(call.env)
    let view: View = FIRST
    let frame: Frame | undefined
    let soon: NodeJS.Timeout | undefined
    const draw = (): void => {
      clearTimeout(soon)
      soon = undefined
      frame = frameOf(model, view, where, screen.size, ink)
      view = frame.view
      screen.draw(frame.lines)
    }
    const leave = (): void => {
      clearInterval(clock)
      clearTimeout(soon)
      screen.close()
    }
    const end = (code: number): void => {
      leave()
      resolve(code)
    }
    const fail = (error: unknown): void => {
      leave()
      reject(error)
    }
    const screen = new Screen(process.stdin, process.stdout, {
      onKey(key) {
        const next = pressed(view, key, frame?.ids ?? [], frame?.room ?? 1)
        if (!next) return end(0)
        view = next
        draw()
      },
      onResize: draw,
      onEnd: end,
    })
    const clock = setInterval(() => view.isPaused || draw(), DRAW_MS)
    // Refused for good (its token has ended, say), it would go on to show what was once.
    client.onState((state) => (state === 'closed' ? void client.ready().catch(fail) : (soon ??= setTimeout(draw, SOON_MS))))
    model.onRefusal(fail)
    screen.open()
    draw()
  })
}
