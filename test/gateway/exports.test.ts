/** Tasks as files: what a spreadsheet and what a program makes of them. */
import { csvLine } from '../../server/src/gateway/http/csv.js'
import { token, type Claims } from '../harness/token.js'
import { codeOf, only, SERVICE, startStateHub, VIEWER, type StateHub } from './stateHub.js'

let hub: StateHub
const created = (taskId: string, more: object = {}) => ({ type: 'task.created', data: { taskId, ...more } })
const file = (path: string, as: Claims = VIEWER) => hub.ask(`/api/v1/tasks/${path}`, { as })

beforeAll(async () => {
  hub = await startStateHub()
  await hub.publish(
    created('plain', { taskTitle: 'Plain' }),
    created('odd', { taskTitle: 'He said "no", \r\nthen left', pipelineId: 'p1', parameters: { a: [1, 'x,y'] }, priority: -10, dependsOn: ['plain', 'x'] }),
    created('formula', { taskTitle: '=HYPERLINK("http://evil.example","click")', taskType: '@SUM(1)', assignedAgent: 'nobody' }),
  )
})
afterAll(() => hub.close())

/** RFC 4180, read by somebody who did not write it. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]]
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  for (let match; (match = cells.exec(text)); ) {
    rows.at(-1)!.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'))
    if (match[3] === '\r\n') rows.push([])
    if (cells.lastIndex === text.length) break
  }
  const [header = [], ...lines] = rows.slice(0, -1)
  return lines.map((line) => Object.fromEntries(header.map((name, at) => [name, line[at]!])))
}

describe('a line of comma-separated values', () => {
  test.each([
    [['a', 1, true, null, undefined, ''], 'a,1,true,,,\r\n'],
    [['a,b', 'say "x"', 'two\nlines', 'cr\rhere', ' blank '], '"a,b","say ""x""","two\nlines","cr\rhere", blank \r\n'],
    [['=1+1', '+1', '-1', '@x', '\t=1', '\rx', '  =1', '＝1'], `'=1+1,'+1,'-1,'@x,'\t=1,"'\rx",'  =1,'＝1\r\n`],
    [[-10, 3.5, 'a=b', '1-2', 'x@y'], '-10,3.5,a=b,1-2,x@y\r\n'],
  ])('%j is %j', (cells, line) => {
    expect(csvLine(cells)).toBe(line)
  })
})

describe('exporting tasks', () => {
  test('as JSON gives them all, newest first', async () => {
    const { status, headers, text } = await file('export/json')
    expect([status, headers.get('content-type'), headers.get('content-disposition')]).toEqual([200, 'application/json; charset=utf-8', 'attachment; filename="tasks.json"'])
    const tasks = JSON.parse(text) as { id: string; title: string }[]
    expect(tasks.map(({ id }) => id).toSorted()).toEqual(['formula', 'odd', 'plain'])
    expect(tasks.find(({ id }) => id === 'odd')).toMatchObject({ kind: 'task', title: 'He said "no", \r\nthen left', parameters: { a: [1, 'x,y'] } })
  })

  test('as CSV gives what a spreadsheet reads back, and no formulas', async () => {
    const { status, headers, text } = await file('export/csv')
    expect([status, headers.get('content-type'), headers.get('content-disposition')]).toEqual([200, 'text/csv; charset=utf-8; header=present', 'attachment; filename="tasks.csv"'])
    const rows = Object.fromEntries(parseCsv(text).map((row) => [row['id'], row]))
    expect(Object.keys(rows).toSorted()).toEqual(['formula', 'odd', 'plain'])
    expect(rows['odd']).toMatchObject({ title: 'He said "no", \r\nthen left', pipelineId: 'p1', priority: '-10', dependsOn: 'plain x', parameters: '{"a":[1,"x,y"]}', result: '', status: 'blocked' })
    expect(rows['formula']).toMatchObject({ title: '\'=HYPERLINK("http://evil.example","click")', type: "'@SUM(1)" })
  })

  test('takes the filters of the list, and shows nothing that is not granted (I6)', async () => {
    expect(parseCsv((await file('export/csv?pipelineId=p1')).text).map(({ id }) => id)).toEqual(['odd'])
    expect((JSON.parse((await file('export/json', only('subscribe:task:pl*'))).text) as { id: string }[]).map(({ id }) => id)).toEqual(['plain'])
    expect((await file('export/json?status=failed')).text).toBe('[]')
    expect(parseCsv((await file('export/csv?status=failed')).text)).toEqual([])
    expect((await file('export/json', { ...VIEWER, project: 'other' })).text).toBe('[]')
    expect(codeOf(await file('export/json?status=nonsense'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await file('export/json', only('subscribe:agent:*')))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
  })

  test('gives one task, under a name that any disk takes', async () => {
    const { headers, text } = await file('odd/export/json')
    expect([headers.get('content-disposition'), JSON.parse(text)]).toEqual(['attachment; filename="task-odd.json"', expect.objectContaining({ id: 'odd' })])
    expect(parseCsv((await file('odd/export/csv')).text)).toEqual([expect.objectContaining({ id: 'odd' })])
    await hub.publish(created('a/b"c'))
    expect((await file('a%2Fb%22c/export/csv')).headers.get('content-disposition')).toBe('attachment; filename="task-a_b_c.csv"')
    await hub.ask('/api/v1/tasks/a%2Fb%22c', { method: 'DELETE', as: SERVICE })
  })

  test('in other formats, or of a task that is not there, is refused', async () => {
    for (const path of ['export/xml', 'odd/export/pdf', 'export/constructor']) expect([path, ...codeOf(await file(path))]).toEqual([path, 400, 'INVALID_MESSAGE'])
    expect(codeOf(await file('none/export/csv'))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(codeOf(await file('odd/export/csv', only('subscribe:task:pl*')))).toEqual([404, 'TASK_NOT_FOUND'])
    expect((await fetch(`${hub.url}/api/v1/tasks/export/json`)).status).toBe(401)
  })

  test('of many pages is whole, and a client that leaves early is no failure', async () => {
    const many = Array.from({ length: 2500 }, (_, n) => created(`many-${n}`, { streamId: 'many', parameters: { text: 'x'.repeat(500) } }))
    for (let at = 0; at < many.length; at += 500) await hub.publish(...many.slice(at, at + 500))
    const tasks = JSON.parse((await file('export/json?streamId=many')).text) as { id: string }[]
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(2500)
    expect(parseCsv((await file('export/csv?streamId=many')).text)).toHaveLength(2500)
    const leaving = await fetch(`${hub.url}/api/v1/tasks/export/json`, { headers: { authorization: `Bearer ${token(VIEWER)}` } })
    await leaving.body!.getReader().cancel()
    expect(await (await fetch(`${hub.url}/metrics`)).text()).not.toMatch(/code="INTERNAL_ERROR"\} [1-9]/)
  })
})
