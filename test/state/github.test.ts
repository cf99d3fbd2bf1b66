/** GitHub's events reach the tasks that they are about. */
import { refsOfGithub, refsOfTask } from '@hubbub/protocol'
import { GITHUB_RULES } from '../../server/src/processor/rules/github.js'
import { Scene } from './scene.js'

const SHA = 'a'.repeat(39) + '1'
const OTHER = 'b'.repeat(39) + '2'

describe('refs', () => {
  it('of a task are those of its parameters', () => {
    expect(refsOfTask({ repository: 'octo/hub', branch: 'refs/heads/fix', prNumber: 7, sha: SHA.toUpperCase() })).toEqual([`sha:${SHA}`, 'pr:octo/hub#7', 'branch:octo/hub@fix'])
    expect(refsOfTask({ repo: 'https://github.com/octo/hub.git', branch: 'feature/x', pr: '7', commit: SHA })).toEqual([`sha:${SHA}`, 'pr:octo/hub#7', 'branch:octo/hub@feature/x'])
  })

  it('need a repository, but for commits', () => {
    expect(refsOfTask({ branch: 'fix', prNumber: 7, sha: SHA })).toEqual([`sha:${SHA}`])
    expect(refsOfTask(undefined)).toEqual([])
  })

  it('are none of a default branch, a short or empty commit, or nonsense', () => {
    for (const branch of ['main', 'master', 'develop', 'trunk', 'refs/heads/main', '', 'two words', 'a*', 5, null]) expect(refsOfTask({ repository: 'octo/hub', branch })).toEqual([])
    for (const sha of ['abc', '0'.repeat(40), 5, {}]) expect(refsOfTask({ sha })).toEqual([])
    for (const pr of [0, -1, 1.5, '0', 'x', [], null]) expect(refsOfTask({ repository: 'octo/hub', pr })).toEqual([])
    for (const repository of ['hub', 'a/b/c', 5, 'octo /hub', `octo/${'x'.repeat(300)}`]) expect(refsOfTask({ repository, branch: 'fix' })).toEqual([])
  })

  it('of an event are its commits, pull requests and branch', () => {
    const data = { repository: 'octo/hub', sha: SHA, headSha: SHA, prNumber: 7, prNumbers: [7, 8], branch: 'fix' }
    expect(refsOfGithub({ type: 'github.pr_updated', data })).toEqual([`sha:${SHA}`, 'pr:octo/hub#7', 'pr:octo/hub#8', 'branch:octo/hub@fix'])
    for (const odd of [null, 'x', [], { prNumbers: 'x', sha: 5, branch: {} }]) expect(refsOfGithub({ type: 'github.push', data: odd })).toEqual([])
  })
})

describe('an event of GitHub', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene([GITHUB_RULES])
    scene.publish('task.created', { taskId: 'by-branch', parameters: { repository: 'octo/hub', branch: 'fix' } })
    scene.publish('task.created', { taskId: 'by-pr', parameters: { repository: 'octo/hub', pr: 7 } })
    scene.publish('task.created', { taskId: 'by-sha', parameters: { sha: SHA } })
  })
  const tasks = (type: string, data: object) => {
    scene.publish(type, { repository: 'octo/hub', ...data })
    return scene.journal.at(-1)!.topics.filter((topic) => topic.startsWith('task:'))
  }

  it.each([
    ['commit first', SHA, 'task:by-sha'],
    ['pull request when nobody knows the commit', OTHER, 'task:by-pr'],
  ])('goes by its %s', (_how, sha, topic) => {
    expect(tasks('github.workflow_updated', { sha, prNumbers: [7], branch: 'fix' })).toEqual([topic])
  })

  it('goes by its branch when nobody knows more', () => {
    expect(tasks('github.push', { sha: OTHER, branch: 'fix' })).toEqual(['task:by-branch'])
    expect(tasks('github.workflow_updated', { sha: OTHER })).toEqual(['task:by-branch'])
  })

  it('goes to the tasks that it names, if there are such', () => {
    expect(tasks('github.pr_updated', { taskIds: ['by-sha', 'nobody'], branch: 'fix' })).toEqual(['task:by-sha'])
    expect(tasks('github.push', { taskIds: ['nobody'], sha: OTHER })).toEqual([])
  })

  it('of a default branch or another repository is nobody\'s', () => {
    expect(tasks('github.push', { branch: 'main' })).toEqual([])
    expect(tasks('github.push', { repository: 'octo/other', branch: 'fix' })).toEqual([])
  })

  it('teaches the task what else is its own', () => {
    tasks('github.pr_updated', { taskIds: ['by-branch'], prNumber: 9, prNumbers: [9], branch: 'fix', headSha: OTHER, sha: OTHER })
    expect(scene.get('task', 'by-branch')?.refs).toEqual(expect.arrayContaining(['branch:octo/hub@fix', 'pr:octo/hub#9', `sha:${OTHER}`]))
    expect(tasks('github.workflow_updated', { sha: OTHER })).toEqual(['task:by-branch'])
  })

  it('goes to eight tasks at most', () => {
    for (let index = 0; index < 12; index++) scene.publish('task.created', { taskId: `many-${index}`, parameters: { repository: 'octo/hub', branch: 'shared' } })
    expect(tasks('github.push', { branch: 'shared' })).toHaveLength(8)
  })
})
