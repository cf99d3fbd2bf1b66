import type { FaultKind } from '../observer.js'
import { redisFailover } from './failover.js'
import type { Fault } from './fault.js'
import { cut, delay, reconnectStorm, slowClient } from './network.js'
import { clock, freeze, kill, rollingDeploy } from './processes.js'
import { full, redisRestart } from './redis.js'

const EVERYWHERE: readonly Fault[] = [kill, freeze, cut, delay, clock, slowClient, reconnectStorm, rollingDeploy]
/** In a world with one server of Redis. */
export const STANDALONE: readonly Fault[] = [...EVERYWHERE, redisRestart, full]
/** In one whose Redis has a replica and Sentinels. */
export const REPLICATED: readonly Fault[] = [...EVERYWHERE, redisFailover]

export function faultsOf(kinds: readonly FaultKind[]): Fault[] {
  return [...STANDALONE, redisFailover].filter(({ kind }) => kinds.includes(kind))
}
