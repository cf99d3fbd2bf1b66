import { command, commandRefused, complaint, connect, custom, handle, hears, history, historyRefused, progress, publish, signal, snapshot, snapshotRefused, subscribe, type Case } from '../steps.js'

const TASKS = publish('bob', { id: 't1', type: 'task.started', data: { taskId: '1', pipelineId: 'p' } }, { id: 't2', type: 'task.started', data: { taskId: '2' } })

/** Who may what; who is told what of others; state, commands, signals. */
export const RIGHTS: Case[] = [
  {
    name: 'nobody in particular is refused',
    people: { ann: { credential: 'none' } },
    steps: [connect('ann', { refused: 'AUTH_MISSING_TOKEN' })],
  },
  {
    name: 'a credential that is none is refused',
    people: { ann: { credential: 'garbage' } },
    steps: [connect('ann', { refused: 'AUTH_INVALID_TOKEN' })],
  },
  {
    name: 'a forged token is refused',
    people: { ann: { credential: 'forged' } },
    steps: [connect('ann', { refused: 'AUTH_INVALID_TOKEN' })],
  },
  {
    name: 'a token that has ended is refused',
    people: { ann: { endsAfterMs: -10_000 } },
    steps: [connect('ann', { refused: 'AUTH_TOKEN_EXPIRED' })],
  },
  {
    name: 'a project that the token does not grant is refused',
    people: { ann: { asks: { project: 'another' } } },
    steps: [connect('ann', { refused: 'WRONG_PROJECT' })],
  },
  {
    name: 'who is connected is told when its token ends',
    people: { ann: { endsAfterMs: 700 } },
    steps: [subscribe('ann', { topics: ['task:1'] }), complaint('ann', 'AUTH_TOKEN_EXPIRED')],
  },
  {
    name: 'nobody hears of another project, whatever it is called there',
    people: { ann: { projects: ['$', '$x'], asks: { project: '$x' } }, tom: { projects: ['$', '$x'], asks: { project: '$x' } } },
    steps: [
      subscribe('ann', { topics: ['*'] }), subscribe('eve', { topics: ['*'] }), publish('bob', progress('a', '1')),
      publish('tom', progress('b', '1')), hears('ann', 'b'), hears('eve', 'a'),
    ],
  },
  {
    name: 'nor reads of it later',
    people: { ann: { projects: ['$', '$x'], asks: { project: '$x' } } },
    steps: [
      publish('bob', progress('a', '1')), history('ann', { topics: ['*'] }, []), snapshot('ann', ['*']),
      history('bob', { topics: ['*'] }, ['a']), snapshot('bob', ['task:*'], 'task:1'),
    ],
  },
  {
    name: 'the same id in two projects is two events',
    people: { tom: { projects: ['$', '$x'], asks: { project: '$x' } } },
    steps: [publish('bob', progress('a', '1')), publish('tom', progress('a', '1')), history('tom', { topics: ['task:1'] }, ['a'])],
  },
  {
    name: 'a topic that is not granted is refused, one that is comes',
    people: { vic: { permissions: ['subscribe:task:1'] } },
    steps: [
      subscribe('vic', { topics: ['task:2'] }, { refused: 'INSUFFICIENT_PERMISSIONS' }), subscribe('vic', { topics: ['task:1'] }),
      publish('bob', progress('a', '2'), progress('b', '1')), hears('vic', 'b'),
    ],
  },
  {
    name: 'a wildcard needs a grant of all that it takes',
    people: { vic: { permissions: ['subscribe:task:ab*'] } },
    steps: [
      subscribe('vic', { topics: ['task:*'] }, { refused: 'INSUFFICIENT_PERMISSIONS' }),
      subscribe('vic', { topics: ['*'] }, { refused: 'INSUFFICIENT_PERMISSIONS' }), subscribe('vic', { topics: ['task:abc*'] }),
      publish('bob', progress('a', 'ab'), progress('b', 'abcd')), hears('vic', 'b'),
    ],
  },
  {
    name: 'history needs the same grants',
    people: { vic: { permissions: ['subscribe:task:1'] } },
    steps: [
      publish('bob', progress('a', '1'), progress('b', '2')), historyRefused('vic', { topics: ['task:*'] }, 'INSUFFICIENT_PERMISSIONS'),
      history('vic', { topics: ['task:1'] }, ['a']),
    ],
  },
  {
    name: 'so does a snapshot',
    people: { vic: { permissions: ['subscribe:task:1'] } },
    steps: [TASKS, snapshotRefused('vic', ['task:*'], 'INSUFFICIENT_PERMISSIONS'), snapshot('vic', ['task:1'], 'task:1')],
  },
  {
    name: 'a topic that is none cannot be subscribed to',
    steps: [subscribe('ann', { topics: ['nonsense'] }, { refused: 'INVALID_TOPIC' })],
  },
  {
    name: 'a cursor that is none is refused',
    steps: [subscribe('ann', { topics: ['task:1'], since: 'yesterday' }, { refused: 'INVALID_CURSOR' })],
  },
  {
    name: 'a filter that is none is refused',
    steps: [subscribe('ann', { topics: ['task:1'], filter: { '1st': 'x' } }, { refused: 'INVALID_MESSAGE' })],
  },
  {
    name: 'history of a topic that is none is refused',
    steps: [historyRefused('ann', { topics: ['task:1', 'no:such:family'] }, 'INVALID_TOPIC')],
  },
  {
    name: 'more topics than a request takes are refused',
    steps: [
      historyRefused('ann', { topics: Array.from({ length: 51 }, (_, place) => `task:${place}`), since: { last: 1 } }, 'INVALID_MESSAGE'),
    ],
  },
  {
    name: 'a refusal leaves what there was',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), subscribe('ann', { topics: ['nonsense'] }, { refused: 'INVALID_TOPIC' }),
      publish('bob', progress('a', '1')), hears('ann', 'a'),
    ],
  },

  {
    name: 'an agent hears its mail, each letter once, among what it is subscribed to',
    people: { kim: { role: 'agent' } },
    steps: [
      subscribe('kim', { topics: ['inbox:kim', 'thread:1'] }),
      publish(
        'bob', custom('a', 'inbox:kim'), custom('b', 'thread:1'), custom('c', 'inbox:lee'),
        { id: 'd', type: 'custom.note', data: {}, topics: ['inbox:kim', 'thread:1'] },
      ),
      hears('kim', 'a', 'b', 'd'),
    ],
  },
  {
    name: 'nobody reads another one\'s mail',
    people: { kim: { role: 'agent' } },
    steps: [
      subscribe('kim', { topics: ['inbox:lee'] }, { refused: 'INSUFFICIENT_PERMISSIONS' }),
      historyRefused('bob', { topics: ['inbox:lee'] }, 'INSUFFICIENT_PERMISSIONS'),
    ],
  },

  { name: 'a snapshot is the state of what a topic names', steps: [TASKS, snapshot('ann', ['task:1'], 'task:1')] },
  { name: 'a snapshot of a pipeline holds its tasks', steps: [TASKS, snapshot('ann', ['pipeline:p'], 'pipeline:p', 'task:1')] },
  { name: 'a snapshot of a pattern holds all that it takes', steps: [TASKS, snapshot('ann', ['task:*'], 'task:1', 'task:2')] },
  { name: 'a snapshot of what is not there is empty', steps: [snapshot('ann', ['task:none'])] },
  { name: 'a snapshot of a topic that is none is refused', steps: [snapshotRefused('ann', ['nonsense'], 'INVALID_TOPIC')] },

  {
    name: 'a command is answered by its executor',
    steps: [handle('deploy', { echo: true }), command('ann', 'deploy', { to: 'stage', retries: [1, 2] }, { to: 'stage', retries: [1, 2] })],
  },
  {
    name: 'an older name of a command is the same command',
    steps: [handle('git.create_branch', { ok: true, result: 'made' }), command('ann', 'create_branch', { name: 'x' }, 'made')],
  },
  {
    name: 'what the executor refuses is told',
    steps: [handle('deploy', { ok: false, error: { message: 'no' } }), commandRefused('ann', 'deploy', {}, 'COMMAND_FAILED')],
  },
  { name: 'a command that nobody carries out is refused', steps: [commandRefused('ann', 'deploy', {}, 'NO_EXECUTOR')] },
  {
    name: 'a command that is not granted is refused',
    people: { vic: { role: 'viewer' } },
    steps: [commandRefused('vic', 'deploy', {}, 'INSUFFICIENT_PERMISSIONS')],
  },
  { name: 'a command whose name is none is refused', steps: [commandRefused('ann', 'No Such', {}, 'INVALID_MESSAGE')] },
  {
    name: 'commands stand in the journal',
    steps: [
      subscribe('ann', { topics: ['system'], types: ['command.*'] }), handle('deploy', { ok: true }),
      command('bob', 'deploy', undefined, null), { step: 'hearsTypes', who: 'ann', types: ['command.started', 'command.completed'] },
    ],
  },

  { name: 'a signal reaches who is subscribed to its topic', steps: [signal('bob', 'task:1', 'cursor.moved', { x: 1 })] },
  {
    name: 'a signal that is not granted is refused',
    people: { vic: { role: 'viewer' } },
    steps: [signal('vic', 'task:1', 'cursor.moved', {}, { refused: 'INSUFFICIENT_PERMISSIONS' })],
  },
  { name: 'a signal to a pattern is refused', steps: [signal('bob', 'task:*', 'cursor.moved', {}, { refused: 'INVALID_TOPIC' })] },
]
