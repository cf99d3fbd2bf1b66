/** How a node of Redis is dialled: with whose credentials, by TLS or not. One attempt; whoever dials tries again. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { createClient } from 'redis'
import { SettingError } from '../../settings/read.js'
import type { Credentials, Endpoint } from './address.js'

/** Paths of PEM files; empty: none. */
export interface TlsFiles {
  ca: string
  cert: string
  key: string
}

export interface TlsMaterial {
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
}

export interface Access {
  credentials: Credentials
  database: number
  /** Absent: no TLS. */
  tls?: TlsMaterial
  /** Shown by `CLIENT LIST`. */
  name?: string
}

/** ms until a node must have taken the connection. */
const CONNECT_MS = 3000
/** An idle connection is kept open by pings, so silence for longer than this is a dead peer. Above any BLOCK. */
const SILENCE_MS = 20_000
const PING_MS = 5000

const VARIABLES = { ca: 'HUBBUB_REDIS_CA_FILE', cert: 'HUBBUB_REDIS_CERT_FILE', key: 'HUBBUB_REDIS_KEY_FILE' } as const

/**
 * The client's own queue for offline times is off, because a command waiting there would run long after its caller gave up;
 * so are its reconnections, because the next attempt may have to go elsewhere.
 */
export function dial({ host, port }: Endpoint, { credentials, database, tls, name }: Access) {
  const socket = { host, port, connectTimeout: CONNECT_MS, socketTimeout: SILENCE_MS, reconnectStrategy: false as const }
  return createClient({
    ...credentials,
    database,
    name,
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    maintNotifications: 'disabled',
    // Without a name a proxy that many hosts share would not know which is meant.
    socket: tls ? { ...socket, tls: true, ...tls, ...(isIP(host) === 0 && { servername: host }) } : socket,
  })
}

export type RedisClient = ReturnType<typeof dial>

/** Throws a `SettingError` that names the variable of the file that is missing, unreadable or no PEM. */
export function readTls(files: TlsFiles): TlsMaterial {
  const material: TlsMaterial = {}
  for (const part of ['ca', 'cert', 'key'] as const) if (files[part] !== '') material[part] = readPem(VARIABLES[part], files[part])
  if (!material.cert !== !material.key) {
    const [given, missing] = material.cert ? (['cert', 'key'] as const) : (['key', 'cert'] as const)
    throw new SettingError(`${VARIABLES[missing]}: unset is not allowed with ${VARIABLES[given]}; allowed: path of a PEM file`)
  }
  try {
    // What does not fit together would fail at each connection, again and again, instead of here.
    createSecureContext(material)
  } catch (error) {
    const names = (Object.keys(material) as (keyof TlsMaterial)[]).map((part) => VARIABLES[part])
    throw new SettingError(`${names.join(', ')}: of no use for TLS (${(error as Error).message}); allowed: paths of PEM files, the key being that of the certificate`)
  }
  return material
}

function readPem(variable: string, path: string): Buffer {
  let pem: Buffer
  try {
    pem = readFileSync(path)
  } catch (error) {
    throw new SettingError(`${variable}: '${path}' cannot be read (${(error as NodeJS.ErrnoException).code}); allowed: path of a PEM file`)
  }
  if (!pem.includes('-----BEGIN ')) throw new SettingError(`${variable}: '${path}' is no PEM file; allowed: path of a PEM file`)
  return pem
}
