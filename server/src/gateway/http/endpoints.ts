/**
 * Every address that the HTTP gateway answers, in one table: `/api/docs` shows it, `/api/openapi.json` is made of it, and tests hold it
 * against the routes and run its examples. A new address is a line here; what a group needs more than a line for stands in `endpoints/`.
 */
import { RUN_ENDPOINTS } from '../agui/endpoints.js'
import type { Group } from './endpoint.js'
import { ADMINISTRATION, OPERATION } from './endpoints/administration.js'
import { EVENTS, WEBHOOKS } from './endpoints/events.js'
import { MESSAGES } from './endpoints/messages.js'
import { SINKS } from './endpoints/sinks.js'
import { STATE } from './endpoints/state.js'
import { TAPS } from './endpoints/taps.js'
import { POLLING, TASKS } from './endpoints/tasks.js'
import { TRACES } from './endpoints/trace.js'

export type { Endpoint, Group } from './endpoint.js'

export const ENDPOINTS: readonly Group[] = [{ ...EVENTS, endpoints: [...EVENTS.endpoints, ...RUN_ENDPOINTS] }, TRACES, MESSAGES, STATE, TASKS, POLLING, WEBHOOKS, SINKS, ADMINISTRATION, TAPS, OPERATION]
