/** Small applications, one a test: what a user of the hooks would write. */
import { Activity, useEffect, useState, type ReactNode } from 'react'
import { ConnectionStatus, HubbubProvider, useConnection, useEntities, useEntity, useEvents, useHubbub, usePresence, useWebSocket } from '@hubbub/react'

export interface Settings {
  url: string
  token: string
  topic: string
  /** Second topic, for scenes that have one. */
  other: string
}

function Events({ topic }: Settings): ReactNode {
  const client = useHubbub()
  const [count, setCount] = useState(0)
  const { events, last, error, status, gap } = useEvents<{ message?: string }>([topic], {
    types: ['agent.log'],
    filter: {},
    limit: 20,
    onEvent: (event) => globalThis.stage.seen.heard.push(event.id),
    onGap: () => globalThis.stage.seen.gaps++,
  })
  useEffect(() => {
    globalThis.stage.client = client
    globalThis.stage.again = () => setCount((before) => before + 1)
  }, [client])
  return (
    <section data-status={status} data-again={count} data-gap={gap?.reason}>
      <p id="last">{last?.data.message}</p>
      <p id="error">{error?.code}</p>
      <ol>
        {events.map((event) => (
          <li key={event.id}>{event.id}</li>
        ))}
      </ol>
    </section>
  )
}

function useToggle(): boolean {
  const [isOther, set] = useState(false)
  useEffect(() => {
    globalThis.stage.toggle = () => set((before) => !before)
  }, [])
  return isOther
}

/** A tab that is put away and shown again. */
function Hidden(settings: Settings): ReactNode {
  const isHidden = useToggle()
  return (
    <div id="tab" data-hidden={isHidden}>
      <Activity mode={isHidden ? 'hidden' : 'visible'}>
        <Events {...settings} />
      </Activity>
    </div>
  )
}

function Switch(settings: Settings): ReactNode {
  const isOther = useToggle()
  return <Events {...settings} topic={isOther ? settings.other : settings.topic} />
}

/** Another credential is another connection. */
function Relogin({ url, token, other }: Settings): ReactNode {
  const isOther = useToggle()
  return (
    <HubbubProvider url={url} options={{ token: isOther ? other : token }}>
      <Connection />
    </HubbubProvider>
  )
}

function Task({ topic, other }: Settings): ReactNode {
  const [, id] = topic.split(':')
  const { entity, isLoading, error } = useEntity('task', id)
  const { entities } = useEntities(other, 'task')
  const words = `${isLoading ? 'loading' : (entity?.status ?? 'none')} ${entity?.progress ?? '-'}`
  useEffect(() => {
    globalThis.stage.seen.states.push(words)
  }, [words])
  return (
    <section>
      <p id="task">{words}</p>
      <p id="result">{JSON.stringify(entity?.result)}</p>
      <p id="error">{error?.code}</p>
      <p id="all">{entities.map((task) => `${task.id}=${task.status}`).join(' ')}</p>
    </section>
  )
}

/** The same task shown twice more: it is one subscription. */
function Tasks(settings: Settings): ReactNode {
  return (
    <>
      <Task {...settings} />
      <Task {...settings} />
      <Task {...settings} />
    </>
  )
}

function Watchers({ topic }: Settings): ReactNode {
  useEvents(topic)
  const { watchers, isLoading, error } = usePresence(topic)
  return (
    <section>
      <p id="watchers">{isLoading ? 'loading' : watchers.map(({ subject }) => subject).join(' ')}</p>
      <p id="error">{error?.code}</p>
    </section>
  )
}

function Connection(): ReactNode {
  const { state, transport, error } = useConnection()
  useEffect(() => {
    globalThis.stage.seen.states.push(state)
  }, [state])
  return (
    <section>
      <ConnectionStatus className="mine" />
      <p id="custom">
        <ConnectionStatus>{(connection) => <b>{connection.state}</b>}</ConnectionStatus>
      </p>
      <p id="transport">{transport}</p>
      <p id="error">{error?.code}</p>
    </section>
  )
}

function Place({ topic }: Settings): ReactNode {
  useEvents(topic)
  const { cursor } = useConnection()
  return <p id="cursor">{cursor}</p>
}

function Socket({ url, token, topic, other }: Settings): ReactNode {
  const { isConnected, lastMessage, sendMessage, subscribe, error } = useWebSocket(url.replace('http', 'ws'), { token, topics: [topic], onMessage: ({ id }) => globalThis.stage.seen.heard.push(id) })
  useEffect(() => subscribe({ topics: [other], types: ['agent_log'] }, ({ type, id }) => globalThis.stage.seen.states.push(`${type} ${id}`)), [subscribe, other])
  const say = (): void => {
    sendMessage({ id: 'sent', type: 'agent_log', data: { agentId: topic.split(':')[1], level: 'info', message: 'from the page' } }).catch((refusal: Error) => globalThis.stage.seen.errors.push(refusal.message))
  }
  return (
    <section data-connected={isConnected}>
      <p id="message">{JSON.stringify(lastMessage)}</p>
      <p id="error">{error?.code}</p>
      <button onClick={say}>send</button>
    </section>
  )
}

/** Two components on one connection. */
function Sockets(settings: Settings): ReactNode {
  const { isConnected } = useWebSocket(settings.url.replace('http', 'ws'), { token: settings.token })
  return (
    <>
      <Socket {...settings} />
      <i>{String(isConnected)}</i>
    </>
  )
}

/** Everything at once, as a server renders it. */
function Dashboard(settings: Settings): ReactNode {
  return (
    <main>
      <Connection />
      <Events {...settings} />
      <Task {...settings} />
      <Watchers {...settings} />
      <Place {...settings} />
    </main>
  )
}

function Nothing(): ReactNode {
  const { status } = useEvents(undefined)
  const { isLoading } = useEntity('task', undefined)
  return <p id="nothing">{`${status} ${isLoading}`}</p>
}

const SCENES: Record<string, (settings: Settings) => ReactNode> = { Events, Task, Tasks, Watchers, Connection, Place, Dashboard, Nothing, Hidden, Switch }
/** Without a provider, or with one of their own. */
const APART: typeof SCENES = { Sockets, Relogin }

/** An unknown name shows nothing, for tests of the SDK alone. */
export function Scene({ name, settings }: { name: string; settings: Settings }): ReactNode {
  const Whole = APART[name]
  if (Whole) return <Whole {...settings} />
  const Inner = SCENES[name]
  if (!Inner) return null
  return (
    <HubbubProvider url={settings.url} options={{ token: () => settings.token, reconnect: { minMs: 50, maxMs: 200 } }}>
      <Inner {...settings} />
    </HubbubProvider>
  )
}
