import { readProxies } from './proxies.js'
import { SETTINGS, type Setting, type SettingName, type Settings } from './table.js'

/** One line: variable or flag, value, what is allowed. */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}

/** Reads and checks all settings; `flags` are by flag name and win. Throws `SettingError` on the first wrong one. */
export function readSettings(env: Record<string, string | undefined>, flags: Record<string, string | undefined> = {}): Settings {
  const settings = {} as Record<string, string | number>
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const setting: Setting = SETTINGS[name]
    const flag = setting.flag === undefined ? undefined : flags[setting.flag]
    const given = flag ?? env[setting.env]
    const label = flag === undefined ? setting.env : `--${setting.flag}`
    settings[name] = parse(setting, label, given === undefined || given === '' ? setting.default : given)
  }
  checkTogether(settings as Settings)
  return settings as Settings
}

/** The defaults, with some replaced; for embedding and tests. Values go through the same check. */
export function settingsWith(overrides: Partial<Settings> = {}): Settings {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(overrides)) env[SETTINGS[name as SettingName].env] = String(value)
  return readSettings(env)
}

export function describeAllowed(setting: Setting): string {
  const { value } = setting
  switch (value.kind) {
    case 'integer':
      return value.max === Number.MAX_SAFE_INTEGER ? `an integer, at least ${value.min}` : `an integer from ${value.min} to ${value.max}`
    case 'choice':
      return value.of.join(', ')
    case 'text':
      return value.allowed
  }
}

function parse(setting: Setting, label: string, text: string): string | number {
  const refuse = (): never => {
    throw new SettingError(`${label}: '${shown(setting, text)}' is not allowed; allowed: ${describeAllowed(setting)}${setting.unit ? ` (${setting.unit})` : ''}`)
  }
  const { value } = setting
  if (value.kind === 'integer') {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    return number >= value.min && number <= value.max ? number : refuse()
  }
  if (text === '') return text
  if (value.kind === 'choice' && !value.of.includes(text)) refuse()
  if (value.kind === 'text' && value.pattern && !value.pattern.test(text)) refuse()
  return text
}

/** Secrets are repeated nowhere, those within an address neither. */
function shown(setting: Setting, text: string): string {
  if (setting.env.includes('SECRET')) return '***'
  if (setting.env === 'REDIS_URL') return text.replace(/(:\/\/|^).*@/s, '$1***@').replaceAll(/(password=)[^&]*/gi, '$1***')
  // In whichever variable it was put: the receiver of spans is an address, too.
  return text.replace(/:\/\/.*@/s, '://***@')
}

function checkTogether(settings: Settings): void {
  const loopback = ['127.0.0.1', '::1', 'localhost'].includes(settings.host)
  if (settings.auth === 'none' && !loopback) {
    throw new SettingError(`HUBBUB_AUTH: 'none' is not allowed with HUBBUB_HOST '${settings.host}'; allowed: required, or none on 127.0.0.1, ::1, localhost`)
  }
  if (settings.role !== 'all' && settings.redisUrl === '') {
    throw new SettingError(`HUBBUB_ROLE: '${settings.role}' is not allowed without REDIS_URL; allowed: all, or a Redis`)
  }
  checkMachine(settings)
  if (settings.leaseRenewMs * 2 >= settings.leaseMs) {
    throw new SettingError(`HUBBUB_LEASE_RENEW_MS: '${settings.leaseRenewMs}' is not allowed; allowed: less than half of HUBBUB_LEASE_MS (${settings.leaseMs})`)
  }
  checkOrder(settings, 'heartbeatMs', 'staleMs', 'offlineMs', 'forgetMs')
  checkOrder(settings, 'retryMs', 'retryMostMs')
  checkDrain(settings)
  checkProxies(settings)
}

/** Who is still told and closed when the time is over would be cut off. */
function checkDrain({ drainMs, drainNoticeMs, drainSpreadMs }: Settings): void {
  if (drainNoticeMs + drainSpreadMs === 0 || drainNoticeMs + drainSpreadMs < drainMs) return
  const less = `less than HUBBUB_DRAIN_MS (${drainMs})`
  if (drainNoticeMs === 0) throw new SettingError(`HUBBUB_DRAIN_SPREAD_MS: '${drainSpreadMs}' is not allowed; allowed: ${less}`)
  throw new SettingError(`HUBBUB_DRAIN_NOTICE_MS: '${drainNoticeMs}' is not allowed; allowed: with HUBBUB_DRAIN_SPREAD_MS ${less}`)
}

/** Now, not at the first request. */
function checkProxies({ trustProxy }: Settings): void {
  try {
    readProxies(trustProxy)
  } catch (error) {
    throw new SettingError(`${SETTINGS.trustProxy.env}: '${(error as Error).message}' is not allowed; allowed: ${describeAllowed(SETTINGS.trustProxy)}`)
  }
}

/** Of one machine with several workers. */
function checkMachine({ workers, processors, role, redisUrl }: Settings): void {
  if (workers > 1 && role === 'processor') {
    throw new SettingError(`HUBBUB_WORKERS: '${workers}' is not allowed with HUBBUB_ROLE 'processor'; allowed: 1, or the role all or worker`)
  }
  if (workers > 1 && redisUrl === '') {
    throw new SettingError(`HUBBUB_WORKERS: '${workers}' is not allowed without REDIS_URL, through which workers share rooms and journal; allowed: 1, or a Redis`)
  }
  if (processors > 1 && (workers === 1 || role !== 'all')) {
    throw new SettingError(`HUBBUB_PROCESSORS: '${processors}' is not allowed with HUBBUB_WORKERS '${workers}' and HUBBUB_ROLE '${role}'; allowed: 1, or several workers with the role all`)
  }
}

/** Times of which each must be at least the one before. */
function checkOrder(settings: Settings, ...names: ('heartbeatMs' | 'staleMs' | 'offlineMs' | 'forgetMs' | 'retryMs' | 'retryMostMs')[]): void {
  names.slice(1).forEach((name, place) => {
    const before = names[place]!
    if (settings[name] >= settings[before]) return
    throw new SettingError(`${SETTINGS[name].env}: '${settings[name]}' is not allowed; allowed: at least ${SETTINGS[before].env} (${settings[before]})`)
  })
}
