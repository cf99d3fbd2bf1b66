/**
 * GitHub, as far as the story needs it: its own example deliveries with our repositories, branches, commits and numbers, signed and posted
 * to the hub's webhook. Without a secret nothing is sent.
 */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

/** @typedef {Record<string, unknown>} Payload */
/** A branch and its pull request. @typedef {{ repository: string, branch: string, number: number }} Change */

const OWN_NAMES = /Codertocat\/Hello-World|octo-org\/octo-repo/g
/** Read when the first one is needed: 4 MB of JSON. @type {{ name: string, examples: Payload[] }[] | undefined} */
let examples

export class GitHub {
  /** Each branch's last commit. @type {Map<string, string>} */
  #heads = new Map()
  /** Taken by the hub. */
  sent = 0

  /** @param {{ url: string, secret?: string, clock: import('./clock.mjs').Clock, refused: (error: unknown) => void }} options */
  constructor(options) {
    this.options = options
  }

  async branchCreated(/** @type {Change} */ { repository, branch }, /** @type {string} */ by) {
    await this.#send('create', repository, by, { ref: branch, ref_type: 'branch', master_branch: 'main' })
  }

  /** A commit whose message names the task. @param {Change} change @param {string} by @param {string} taskId @param {string} text */
  async pushed(change, by, taskId, text) {
    const { repository, branch } = change
    const before = this.#headOf(change)
    const after = shaOf(before + text)
    this.#heads.set(`${repository}@${branch}`, after)
    const author = { name: by, email: `${by}@agents.example` }
    const commit = { id: after, message: `${text}\n\nTask: ${taskId}`, timestamp: now(), author, added: [], removed: [], modified: ['src/index.ts'] }
    await this.#send('push', repository, by, { ref: `refs/heads/${branch}`, before, after, created: false, deleted: false, head_commit: commit, commits: [commit] })
  }

  /** Its body names the task. @param {Change} change @param {string} by @param {string} taskId @param {string} title */
  async opened(change, by, taskId, title) {
    await this.#pull('opened', change, by, { title, body: `${title}.\n\nTask: ${taskId}\n`, draft: true })
  }

  async readyForReview(/** @type {Change} */ change, /** @type {string} */ by) {
    await this.#pull('ready_for_review', change, by, { draft: false })
  }

  async merged(/** @type {Change} */ change, /** @type {string} */ by) {
    await this.#pull('closed', change, by, { state: 'closed', merged: true, draft: false })
  }

  async approved(/** @type {Change} */ change, /** @type {string} */ by) {
    const review = { state: 'approved', body: 'Reads well.', user: { login: by }, submitted_at: now() }
    await this.#send('pull_request_review', change.repository, by, { action: 'submitted', review, pull_request: this.#pullOf(change) })
  }

  async commented(/** @type {Change} */ change, /** @type {string} */ by) {
    const comment = { body: 'What happens when the answer comes late?', path: 'src/index.ts', user: { login: by }, updated_at: now() }
    await this.#send('pull_request_review_comment', change.repository, by, { action: 'created', comment, pull_request: this.#pullOf(change) })
  }

  /** A workflow run on the branch's commit, with a job and a check, from the queue to its end. @param {Change} change @param {string} by @param {'success' | 'failure'} conclusion */
  async checked(change, by, conclusion) {
    const { repository, branch: head_branch, number } = change
    const head_sha = this.#headOf(change)
    const id = 9_000_000_000 + Number.parseInt(head_sha.slice(0, 7), 16)
    const run = (/** @type {string} */ status, /** @type {string | null} */ ended) => ({
      id, name: 'CI', head_branch, head_sha, status, conclusion: ended, run_attempt: 1, pull_requests: [], head_repository: { full_name: repository },
      head_commit: { id: head_sha, timestamp: now() }, html_url: `https://github.com/${repository}/actions/runs/${id}`,
    })
    const job = (/** @type {string} */ status, /** @type {string | null} */ ended) => ({ id: id + 1, run_id: id, name: 'build and test', status, conclusion: ended, head_branch, head_sha })
    await this.#send('workflow_run', repository, by, { action: 'requested', workflow_run: run('queued', null) })
    await this.#send('workflow_job', repository, by, { action: 'in_progress', workflow_job: job('in_progress', null) })
    await this.#send('workflow_run', repository, by, { action: 'in_progress', workflow_run: run('in_progress', null) })
    await this.options.clock.pass(0.5)
    await this.#send('workflow_job', repository, by, { action: 'completed', workflow_job: job('completed', conclusion) })
    const check_suite = { head_branch, head_sha }
    const check_run = { id: id + 2, name: 'lint', head_sha, status: 'completed', conclusion, check_suite, pull_requests: [], html_url: `https://github.com/${repository}/pull/${number}/checks` }
    await this.#send('check_run', repository, by, { action: 'completed', check_run })
    await this.#send('workflow_run', repository, by, { action: 'completed', workflow_run: run('completed', conclusion) })
  }

  /** @param {string} repository @param {string} environment @param {'in_progress' | 'success'} state @param {string} by */
  async deployed(repository, environment, state, by) {
    const deployment = { environment, ref: 'main', sha: shaOf(repository), updated_at: now() }
    if (state === 'in_progress') await this.#send('deployment', repository, by, { action: 'created', deployment })
    await this.#send('deployment_status', repository, by, { action: 'created', deployment, deployment_status: { state, environment, updated_at: now() } })
  }

  async issueOpened(/** @type {string} */ repository, /** @type {string} */ title, /** @type {number} */ number) {
    await this.#send('issues', repository, 'a-customer', { action: 'opened', issue: { number, title, state: 'open', html_url: `https://github.com/${repository}/issues/${number}` } })
  }

  /** What else GitHub sends, as it sends it: `star`, `release`, `discussion`, ... */
  async happened(/** @type {string} */ name, /** @type {string} */ repository, /** @type {string} */ by) {
    await this.#send(name, repository, by, {})
  }

  /** @param {string} action @param {Change} change @param {string} by @param {Payload} more */
  async #pull(action, change, by, more) {
    await this.#send('pull_request', change.repository, by, { action, number: change.number, pull_request: { ...this.#pullOf(change), ...more } })
  }

  /** @param {Change} change @returns {Payload} */
  #pullOf(change) {
    const { repository, branch, number } = change
    const head = { ref: branch, sha: this.#headOf(change), repo: { full_name: repository } }
    // GitHub's example has a body of its own.
    return { number, body: '', state: 'open', html_url: `https://github.com/${repository}/pull/${number}`, head, base: { ref: 'main' }, merged: false }
  }

  #headOf(/** @type {Change} */ { repository, branch }) {
    return this.#heads.get(`${repository}@${branch}`) ?? shaOf(repository + branch)
  }

  /** @param {string} name @param {string} repository @param {string} by @param {Payload} changes */
  async #send(name, repository, by, changes) {
    const { url, secret, refused } = this.options
    if (!secret) return
    const surroundings = { repository: { full_name: repository, html_url: `https://github.com/${repository}` }, sender: { login: by } }
    const body = JSON.stringify(merged(fresh(exampleOf(name), repository), { ...changes, ...surroundings }))
    const headers = {
      'content-type': 'application/json',
      'x-github-event': name,
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    }
    await post(`${url}/webhooks/github`, { method: 'POST', headers, body }).then(() => this.sent++, refused)
  }
}

/** A delivery's id makes it count once, so it may be tried again. @param {string} url @param {RequestInit} request */
async function post(url, request) {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url, { ...request, signal: AbortSignal.timeout(10_000) })
      const text = await response.text()
      if (response.ok) return
      throw Object.assign(new Error(`the webhook was refused with ${response.status}: ${text.slice(0, 300)}`), { isFinal: response.status < 500 })
    } catch (error) {
      if (attempt === 3 || /** @type {{ isFinal?: boolean }} */ (error).isFinal) throw error
      await sleep(200 * attempt)
    }
  }
}

/** @param {string} name @returns {Payload} */
function exampleOf(name) {
  examples ??= /** @type {{ name: string, examples: Payload[] }[]} */ (createRequire(import.meta.url)('@octokit/webhooks-examples'))
  const all = examples.find((hook) => hook.name === name)?.examples ?? []
  const found = all.find((example) => OWN_NAMES.test(JSON.stringify(example.repository ?? {}))) ?? all[0]
  OWN_NAMES.lastIndex = 0
  if (!found) throw new Error(`GitHub has no deliveries named ${name}`)
  return found
}

/** The example as of now, and of our repository. @param {Payload} example @param {string} repository @returns {Payload} */
function fresh(example, repository) {
  const text = JSON.stringify(example, (key, value) => (typeof value === 'string' && /(_at|^timestamp)$/.test(key) && /^\d{4}-/.test(value) ? now() : /** @type {unknown} */ (value)))
  return /** @type {Payload} */ (JSON.parse(text.replace(OWN_NAMES, repository)))
}

/** Lists are replaced as a whole. @param {Payload} into @param {Payload} changes @returns {Payload} */
function merged(into, changes) {
  const entries = Object.entries(changes).map(([name, value]) => {
    const before = into[name]
    return [name, isRecord(value) && isRecord(before) ? merged(before, value) : value]
  })
  return { ...into, .../** @type {Payload} */ (Object.fromEntries(entries)) }
}

/** @param {unknown} value @returns {value is Payload} */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function now() {
  return new Date().toISOString()
}

function shaOf(/** @type {string} */ text) {
  return createHash('sha1').update(text).digest('hex')
}
