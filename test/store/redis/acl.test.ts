/** The users of `k8s/redis/users.acl`: what the hub's may is all that the store does, and what the others may is little. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createClient } from 'redis'
import { openStore } from '../../../server/src/store/open.js'
import { DEFAULTS } from '../fixture.js'
import { storeSuite } from '../suite.js'
import { startAclRedis, USERS, type AclRedis, type User } from './aclRedis.js'

let acl: AclRedis
beforeAll(async () => {
  acl = await startAclRedis()
})
afterAll(() => acl?.stop())

describe('whoever has the shipped file', () => {
  test('gets in as nobody before he adds passwords', async () => {
    const lines = (await readFile(resolve('k8s/redis/users.acl'), 'utf8')).trim().split('\n')
    expect(lines.map((line) => line.split(' ', 3).join(' '))).toEqual(['user default off', ...USERS.map((user) => `user ${user} on`)])
    expect(lines.filter((line) => /nopass|[>#]\w/.test(line))).toEqual([])
    for (const command of ['PING', 'GET hubbub:config']) {
      for (const user of ['', 'hubbub:wrong@', 'default:@']) {
        const client = createClient({ url: acl.redis.url.replace('//', `//${user}`), socket: { reconnectStrategy: false } }).on('error', () => {})
        await expect(client.connect().then(() => client.sendCommand(command.split(' ')))).rejects.toThrow(/NOAUTH|WRONGPASS/)
      }
    }
  })
})

describe('of what others do,', () => {
  beforeAll(async () => {
    await acl.send('hubbub', 'XADD', 'hubbub:{p0}:journal', '*', 'event', '{}')
  })
  afterEach(() => acl.denials())

  const refused: Record<User, string[]> = {
    hubbub: [
      'FLUSHALL', 'FLUSHDB', 'KEYS *', 'SCAN 0', 'RANDOMKEY', 'CONFIG GET *', 'CONFIG SET maxmemory 1', 'SHUTDOWN', 'DEBUG SLEEP 0', 'MONITOR', 'ACL LIST', 'CLIENT LIST', 'CLIENT KILL TYPE normal', 'SCRIPT FLUSH',
      'FUNCTION LIST', 'REPLICAOF NO ONE', 'SLOWLOG GET', 'SAVE', 'SET other 1', 'GET other', 'XADD other * a b', 'EVAL return(redis.call("GET","other")) 0', 'EVAL return(redis.call("FLUSHALL")) 0', 'PUBLISH other x', 'SUBSCRIBE other',
      'PSUBSCRIBE *', 'SSUBSCRIBE other', 'CLUSTER RESET', 'PUBSUB CHANNELS', 'MIGRATE h 1 hubbub:config 0 1', 'RESTORE hubbub:x 0 x', 'SORT hubbub:x',
    ],
    'hubbub-writer': [
      'XADD hubbub:{p0}:journal * event {}', 'XADD hubbub:{p0}:source:agents * event {}', 'XADD hubbub:{p0}:source:system * event {}', 'XADD hubbub:{p0}:topic:default/task:}:source:workflows * event {}',
      'XADD hubbub:{px}:source:workflows * event {}', 'XRANGE hubbub:{p0}:source:workflows - +', 'XLEN hubbub:{p0}:source:workflows', 'XREAD STREAMS hubbub:{p0}:source:workflows 0', 'DEL hubbub:{p0}:source:workflows', 'XTRIM hubbub:{p0}:source:workflows MAXLEN 0',
      'GET hubbub:config', 'EVAL return(1) 0', 'PUBLISH hubbub:{p0}:ack:w x', 'FLUSHALL', 'INFO', 'KEYS *',
    ],
    'hubbub-monitor': ['GET hubbub:config', 'XADD hubbub:{p0}:source:workflows * event {}', 'XRANGE hubbub:{p0}:journal - +', 'DEL hubbub:{p0}:journal', 'EVAL return(1) 0', 'XLEN other', 'KEYS *', 'CONFIG GET *', 'FLUSHALL', 'MONITOR', 'SUBSCRIBE hubbub:x'],
  }
  test.each(Object.entries(refused) as [User, string[]][])('%s may do none of what it should not', async (user, commands) => {
    const told = await Promise.all(commands.map((line) => acl.send(user, ...line.split(' ')).then(() => 'done', (error: Error) => error.message)))
    const outcomes = commands.map((line, at) => [line, told[at]])
    expect(outcomes.filter(([, message]) => !/NOPERM|not allowed|The user executing the script can't/.test(message!))).toEqual([])
  })

  const allowed: Record<User, string[]> = {
    hubbub: ['PING', 'INFO memory', 'XLEN hubbub:{p0}:journal', 'SPUBLISH hubbub:{p0}:ack:w x', 'PUBSUB SHARDNUMSUB hubbub:adapter#/#'],
    'hubbub-writer': ['PING', 'XADD hubbub:{p0}:source:workflows * event {}', 'XADD hubbub:{p7}:source:workflows * event {}', 'XADD hubbub:{p63}:source:workflows * event {}', 'XADD hubbub:{p1023}:source:workflows * event {}'],
    'hubbub-monitor': ['PING', 'INFO', 'XLEN hubbub:{p0}:journal', 'XINFO STREAM hubbub:{p0}:journal'],
  }
  test.each(Object.entries(allowed) as [User, string[]][])('%s may do what it is for', async (user, commands) => {
    for (const line of commands) await acl.send(user, ...line.split(' '))
    expect(await acl.denials()).toEqual([])
  })
})

describe('under the user hubbub', () => {
  storeSuite('the store', async (options) => {
    await acl.send('admin', 'FLUSHALL')
    return openStore({ ...DEFAULTS, ...options, redisUrl: acl.urlOf('hubbub') })
  })

  test('nothing of all that was refused', async () => {
    expect(await acl.denials()).toEqual([])
  })
})
