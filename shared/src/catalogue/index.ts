/**
 * `@hubbub/protocol/catalogue`: everything with validators. Apart from the root, so that a browser's bundle holds none of it.
 */
export { CATALOGUE, CUSTOM_ENTRY, type Entry, findEntry, PIPELINE_ENTRY } from './entries.js'
export type { Field } from './describe.js'
export type { Author } from './fact.js'
export type { EventData, EventMap, EventType } from './event-map.js'
export { isSnapshot } from './agui.js'
export { type EventLimits, MAX_TOPICS_OF_EVENT, normalise } from '../normalise.js'
export { routeTopics } from '../route.js'
export { weigh, type Weighed, type WeighLimits } from '../weigh.js'
export { readMillis } from '../clock.js'
export { checkBroadcast, checkCommand, checkCommandAnswer, checkHandle, checkHistory, checkPresence, checkRegistration, checkSignal, checkSnapshot, checkSubscribe, checkUnsubscribe, type RequestLimits, type SignalLimits } from '../messages.schema.js'
export { checkTaskCancel, checkTaskChanges, checkTaskOrder } from '../tasks.schema.js'
export { dataName, NAMED_SHAPES, named, REQUEST_SHAPES } from '../shapes/index.js'
