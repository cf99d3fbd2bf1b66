import { pino, type Logger } from 'pino'

export type { Logger }

/** JSON lines on stderr, synchronous: an asynchronous destination throws on an immediate exit. */
export function createLog(level: string, node: string): Logger {
  return pino({ level, base: { node } }, pino.destination({ fd: 2, sync: true }))
}

/** Says nothing; for embedding and tests. */
export const silent: Logger = pino({ level: 'silent' })
