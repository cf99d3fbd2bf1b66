/** Long-polling: a request that a browser sends again by itself loses nothing. */
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'

test('a poll that comes again with its mark ends the session, whose client then comes back to its place (I2)', async () => {
  const { url } = await hub()
  const polling = (query: string) => `${url}/socket.io/?EIO=4&transport=polling&token=${token()}${query}`
  const poll = async (sid: string, mark: string) => {
    const response = await fetch(polling(`&sid=${sid}&t=${mark}`))
    return { status: response.status, text: await response.text() }
  }
  const open = async (connect: string) => {
    const { sid } = JSON.parse((await (await fetch(polling('&t=open'))).text()).slice(1)) as { sid: string }
    await fetch(polling(`&sid=${sid}&t=connect`), { method: 'POST', body: connect })
    let heard = ''
    let mark = 0
    await eventually(async () => (heard += (await poll(sid, `m${++mark}`)).text).includes('40{"sid"') && heard.includes('hub.cursor'), 'the namespace and a cursor')
    return { sid, heard, pid: /"pid":"([^"]+)"/.exec(heard)?.[1] }
  }
  const first = await open('40{}')
  await fetch(polling(`&sid=${first.sid}&t=subscribe`), { method: 'POST', body: '420["subscribe",{"topics":["task:1"]}]' })
  const cursor = /"hub.cursor","([^"]+)"/.exec(first.heard)![1]!
  let answers = ''
  await eventually(async () => (answers += (await poll(first.sid, `s${answers.length}`)).text).includes('430['), 'the subscription')
  const lost = poll(first.sid, 'lost')
  await fetch(`${url}/api/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${token()}` }, body: '{"id":"a","type":"task.progress","data":{"taskId":"1","progress":1}}' })
  expect((await lost).text).toContain('"id":"a"')
  // Its answer never came to the page: the browser asks again, with the same mark.
  expect((await poll(first.sid, 'lost')).status).toBe(400)
  const again = await open(`40{"pid":"${first.pid}","offset":"${/"hub.cursor","([^"]+)"/.exec(answers)?.[1] ?? cursor}"}`)
  expect(again.heard).toContain('"id":"a"')
})

test('a POST that comes again with its mark is not heard twice', async () => {
  const { url } = await hub()
  const polling = (query: string) => `${url}/socket.io/?EIO=4&transport=polling&token=${token()}${query}`
  const { sid } = JSON.parse((await (await fetch(polling('&t=open'))).text()).slice(1)) as { sid: string }
  const post = async (mark: string, body: string) => (await fetch(polling(`&sid=${sid}&t=${mark}`), { method: 'POST', body })).status
  expect(await post('connect', '40{}')).toBe(200)
  expect(await post('p', '420["publish",{"type":"custom.once","topics":["project"],"data":{}}]')).toBe(200)
  expect(await post('p', '420["publish",{"type":"custom.once","topics":["project"],"data":{}}]')).toBe(400)
  const history = await fetch(`${url}/api/v1/history?topics=project&types=custom.once&since=all&wait=2`, { headers: { authorization: `Bearer ${token()}` } })
  expect(((await history.json()) as { events: unknown[] }).events.length).toBeLessThanOrEqual(1)
})
