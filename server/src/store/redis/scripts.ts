/** The Lua scripts, by file name. Each file's head names KEYS, ARGV and result. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RedisClient } from './connection.js'

export class Script {
  private readonly sha: string

  constructor(private readonly source: string) {
    this.sha = createHash('sha1').update(source).digest('hex')
  }

  /** Survives SCRIPT FLUSH and a restarted Redis: an unknown script is sent in full. */
  async run(client: RedisClient, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await client.sendCommand<unknown>(['EVALSHA', this.sha, ...rest])
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await client.sendCommand<unknown>(['EVAL', this.source, ...rest])
    }
  }

  async load(client: RedisClient): Promise<void> {
    await client.sendCommand(['SCRIPT', 'LOAD', this.source])
  }
}

function load(...files: string[]): Script {
  return new Script(files.map((file) => readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), 'utf8')).join('\n'))
}

export const SCRIPTS = {
  append: load('append'),
  lag: load('behind', 'lag'),
  genesis: load('genesis'),
  takeOver: load('take-over'),
  renew: load('renew'),
  release: load('release'),
  join: load('join'),
  commit: load('pages', 'commit'),
  select: load('select'),
  due: load('due'),
  housekeep: load('housekeep'),
  head: load('pages', 'head'),
  range: load('pages', 'range'),
  index: load('pages', 'index'),
  newest: load('pages', 'newest'),
  scan: load('pages', 'scan'),
  look: load('pages', 'look'),
  saveSession: load('save-session'),
  takeSession: load('take-session'),
  touchSessions: load('touch-sessions'),
  dropSession: load('drop-session'),
  markMail: load('mark-mail'),
  replayDead: load('replay-dead'),
  revokeSubject: load('revoke-subject'),
  rosterUpdate: load('roster-update'),
  rosterSweep: load('roster-sweep'),
  rosterPresent: load('roster-present'),
  rosterRenew: load('roster-renew'),
  sinkAdd: load('sink-add'),
  sinkRemove: load('sink-remove'),
  sinkSteer: load('sink-steer'),
  sinkLook: load('sink-look'),
  sinkClaim: load('sink-claim'),
  sinkReport: load('sink-report'),
  sinkRelease: load('sink-release'),
  vitalsReport: load('vitals-report'),
  vitalsLook: load('vitals-look'),
  vitalsNote: load('vitals-note'),
  vitalsRetire: load('vitals-retire'),
  vitalsPartition: load('behind', 'vitals-partition'),
}
