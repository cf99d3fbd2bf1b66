/**
 * What a hub has to be told for a story that runs at that speed: beats, silences and retries in minutes of story. Under a few seconds an
 * agent would be given up for a busy machine.
 * @param {number} speed @returns {Record<string, string>}
 */
export function settingsFor(speed) {
  const ms = (/** @type {number} */ seconds, /** @type {number} */ least) => String(Math.max(least, Math.round((seconds * 1000) / speed)))
  return {
    HUBBUB_HEARTBEAT_MS: ms(30, 400),
    HUBBUB_STALE_MS: ms(90, 4000),
    HUBBUB_OFFLINE_MS: ms(150, 5000),
    HUBBUB_FORGET_MS: ms(3600, 60_000),
    HUBBUB_STALLED_MS: ms(300, 2500),
    HUBBUB_TASK_LEASE_MS: ms(300, 8000),
    HUBBUB_RETRY_MS: ms(30, 200),
    HUBBUB_LOG_LEVEL: 'error',
  }
}
