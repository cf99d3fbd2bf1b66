import type { FaultKind } from '../observer.js'
import type { Fault } from './fault.js'
import { cut, delay, reconnectStorm, slowClient } from './network.js'
import { clock, freeze, kill, rollingDeploy } from './processes.js'
import { full, redisRestart } from './redis.js'

/** Of one server of Redis. */
export const STANDALONE: readonly Fault[] = [kill, freeze, cut, delay, redisRestart, full, clock, slowClient, reconnectStorm, rollingDeploy]

export function faultsOf(kinds: readonly FaultKind[]): Fault[] {
  return STANDALONE.filter(({ kind }) => kinds.includes(kind))
}
