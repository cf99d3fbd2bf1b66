import { connect, type Client, type HubError, type LiveState, type StateChange } from '@hubbub/client'
import { createFakeHub, type FakeHub } from '@hubbub/client/testing'
import type { EntityView, SnapshotRequest, SnapshotResult } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import { WireHub } from './wire-hub.js'

const reconnect = { minMs: 1, maxMs: 5 }

describe('state on the fake hub', () => {
  let hub: FakeHub
  let client: Client
  const progress = (taskId: string, percent: number): void => void hub.emit('task.progress', { taskId, progress: percent }, { topics: [`task:${taskId}`] })
  const create = (taskId: string, data: object = {}, topics: string[] = []): void => {
    hub.emit('task.created', { taskId, ...data }, { topics: [`task:${taskId}`, ...topics] })
  }

  beforeEach(() => {
    hub = createFakeHub()
    client = hub.client({ reconnect })
  })
  afterEach(() => client.close())

  it('is read in as many pages as it takes, each entity once', async () => {
    for (let n = 0; n < 2500; n++) create(`t${n}`)
    const { entities, cursor, get, list } = await client.snapshot('task:*')
    expect([entities.length, list('task').length, list('agent').length]).toEqual([2500, 2500, 0])
    expect(get('task', 't2499')).toMatchObject({ kind: 'task', id: 't2499', status: 'pending', revision: cursor.split('.')[1] })
    expect([get('task', 'none'), get('agent', 't1')]).toEqual([undefined, undefined])
  })

  it('waits for a connection, and rejects what the hub refuses', async () => {
    create('a')
    await client.ready()
    hub.disconnect()
    const waiting = client.snapshot(['task:a'])
    hub.reconnect()
    expect((await waiting).list('task')).toHaveLength(1)
    hub.refuse('snapshot', 'UNAVAILABLE', { times: 2 })
    expect((await client.snapshot(['task:a'])).list('task')).toHaveLength(1)
    await expect(client.snapshot('nonsense')).rejects.toMatchObject({ code: 'INVALID_TOPIC' })
    client.close()
    await expect(client.snapshot('task:a')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('follows the events of what is watched, and of nothing else', async () => {
    create('a', { pipelineId: 'p' }, ['pipeline:p'])
    const live = await client.watch('pipeline:p')
    const changes: StateChange[] = []
    live.onChange((change) => changes.push(change))
    progress('a', 10)
    progress('b', 10)
    create('c', { pipelineId: 'p' }, ['pipeline:p'])
    hub.emit('agent.log', { agentId: 'x', level: 'info', message: 'no state' }, { topics: ['pipeline:p'] })
    expect(live.list('task')).toMatchObject([{ id: 'a', progress: 10, status: 'in_progress' }, { id: 'c', status: 'pending' }])
    expect(live.list('task')).toEqual([hub.get('task', 'a'), hub.get('task', 'c')])
    expect(changes.map(({ id, before, after, event }) => [id, before?.kind, (after as EntityView<'task'>).status, event?.type])).toEqual([
      ['a', 'task', 'in_progress', 'task.progress'],
      ['c', undefined, 'pending', 'task.created'],
    ])
    hub.emit('task.forgotten', { taskId: 'a' })
    expect(changes.at(-1)).toMatchObject({ id: 'a', before: { id: 'a' }, after: undefined })
    expect(live.get('task', 'a')).toBeUndefined()
    await live.close()
    progress('c', 50)
    expect(live.get('task', 'c')).toMatchObject({ status: 'pending' })
  })

  it('stays true over a lost connection', async () => {
    create('a')
    const live = await client.watch(['task:a', 'agent:*'])
    hub.disconnect()
    progress('a', 30)
    hub.emit('agent.registered', { agentId: 'x', agentType: 'coder' }, { topics: ['agent:x'] })
    hub.reconnect()
    await eventually(() => live.get('agent', 'x'))
    expect([live.get('task', 'a'), live.get('agent', 'x')]).toEqual([hub.get('task', 'a'), hub.get('agent', 'x')])
  })

  it('is taken anew after a gap, and tells only what is different', async () => {
    create('a')
    create('b')
    create('c')
    const live = await client.watch('task:*')
    const changes: StateChange[] = []
    live.onChange((change) => changes.push(change))
    hub.disconnect()
    progress('a', 70)
    hub.emit('task.forgotten', { taskId: 'b' })
    create('d')
    hub.gap()
    hub.reconnect()
    progress('c', 5)
    await eventually(() => live.get('task', 'd') && live.get('task', 'c')?.progress === 5)
    expect(live.list('task')).toEqual(['a', 'c', 'd'].map((id) => hub.get('task', id)))
    expect(changes.filter(({ event }) => !event).map(({ id, before, after }) => [id, before !== undefined, after !== undefined])).toEqual(
      expect.arrayContaining([['b', true, false], ['a', true, true], ['d', false, true]]),
    )
    expect(changes.filter(({ id }) => id === 'a')).toHaveLength(1)
  })

  it('is asked for until it comes after a gap, and ends with the reason where it never will', async () => {
    create('a')
    const errors: HubError[] = []
    client.onError((error) => errors.push(error))
    const live = await client.watch('task:*')
    hub.refuse('snapshot', 'INTERNAL_ERROR', { times: 2 })
    hub.gap()
    progress('a', 12)
    await eventually(() => live.get('task', 'a')?.progress === 12)
    expect(errors.map(({ code }) => code)).toEqual(['INTERNAL_ERROR', 'INTERNAL_ERROR'])
    let ended = false
    live.onEnd(() => (ended = true))
    hub.refuse('snapshot', 'INSUFFICIENT_PERMISSIONS')
    hub.gap()
    await eventually(() => ended)
    expect(errors.at(-1)).toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
  })

  it('is refused as a whole when its snapshot is, and leaves no subscription', async () => {
    hub.refuse('snapshot', 'INSUFFICIENT_PERMISSIONS')
    await expect(client.watch('task:*')).rejects.toMatchObject({ code: 'INSUFFICIENT_PERMISSIONS' })
    const heard: unknown[] = []
    client.on('*', (event) => heard.push(event))
    progress('a', 1)
    expect(heard).toEqual([])
  })

  it('tells its end, with the hub\'s reason when it is one', async () => {
    const ends: unknown[] = []
    const [mine, clients] = [await client.watch('task:a'), await client.watch('task:b')]
    mine.onEnd((error) => ends.push(['mine', error]))
    clients.onEnd((error) => ends.push(['clients', error]))
    await mine.close()
    hub.disconnect()
    hub.refuse('subscribe', 'INSUFFICIENT_PERMISSIONS')
    hub.reconnect()
    await eventually(() => ends.length === 2)
    expect(ends).toMatchObject([['mine', undefined], ['clients', { code: 'INSUFFICIENT_PERMISSIONS' }]])
  })
})

describe('state over Socket.IO', () => {
  const rest = { createdAt: '', updatedAt: '', status: 'in_progress', managed: true, attempt: 0, tries: [] } as const
  const view = (id: string, revision: string, progress: number): EntityView<'task'> => ({ kind: 'task', revision, id, progress, ...rest })
  let hub: WireHub
  let client: Client
  let live: LiveState | undefined
  beforeEach(async () => {
    hub = new WireHub()
    client = connect(await hub.listen(), { reconnect })
  })
  afterEach(async () => {
    client.close()
    await hub.close()
  })

  it('leaves out what the snapshot holds: by its cursor, and by the revision of an entity of a later page', async () => {
    const pages: SnapshotRequest[] = []
    hub.answers.set('snapshot', (request: SnapshotRequest): SnapshotResult => {
      pages.push(request)
      if (request.after === undefined) {
        // Between the joining and the snapshot: in it already.
        hub.report('a', 10)
        return { cursor: hub.cursor, entities: [view('a', '1-1', 10)], next: 'page 2' }
      }
      hub.report('a', 20)
      hub.report('b', 30)
      hub.report('b', 40)
      // As of the last one but one: younger than the cursor.
      return { cursor: hub.cursor, entities: [view('b', '1-3', 30)] }
    })
    const told: unknown[] = []
    const watching = client.watch('task:*')
    live = await watching
    live.onChange(({ id, after }) => told.push([id, (after as EntityView<'task'>).progress]))
    await eventually(() => live!.get('task', 'b')?.progress === 40)
    expect([live.get('task', 'a')?.progress, live.get('task', 'a')?.revision, live.get('task', 'b')?.revision]).toEqual([20, '1-2', '1-4'])
    expect(pages).toEqual([{ topics: ['task:*'] }, { topics: ['task:*'], after: 'page 2' }])
    expect(told).not.toContainEqual(['b', 30])
  })
})
