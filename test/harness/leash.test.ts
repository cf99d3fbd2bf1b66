import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { eventually } from './eventually.js'

/** Another process loads the leash as a test file does; what it leaves behind must go with it. */
const OWNER = `
  const { spawn } = await import('node:child_process')
  const { leash } = await import('./leash.js')
  const children = [0, 1, 2].map(() => spawn('sleep', ['600'], { stdio: 'ignore' }))
  for (const child of children) leash(child)
  children[1].kill('SIGKILL')
  children[2].kill('SIGSTOP')
  await new Promise((gone) => children[1].once('exit', gone))
  console.log(children.map((child) => child.pid).join(' '))
  setInterval(() => {}, 1000)
`

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    // A zombie is dead: whoever adopted it has only not looked yet.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}

test('processes on the leash end with the one that started them, even when it is killed and they are frozen', async () => {
  const { transformFile } = await import('@swc/core')
  const { code } = await transformFile(resolve('test/harness/leash.ts'), { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } })
  const inlined = OWNER.replace("'./leash.js'", JSON.stringify(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`))
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', inlined], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  const pids = String(line).trim().split(' ').map(Number)
  expect(pids.map(alive)).toEqual([true, false, true])
  owner.kill('SIGKILL')
  await eventually(() => !alive(pids[0]!) && !alive(pids[2]!))
})
