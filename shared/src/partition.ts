/** A project's partition: `crc16(project) % partitions`, the CRC16 (XMODEM) that Redis Cluster uses. */

export function partitionOf(project: string, partitions: number): number {
  return crc16(project) % partitions
}

/** Each key of a partition carries this hash tag, so that it lives in one Redis Cluster slot. */
export function partitionTag(partition: number): string {
  return `{p${partition}}`
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})

export function crc16(text: string): number {
  let crc = 0
  for (const byte of new TextEncoder().encode(text)) crc = ((crc << 8) & 0xffff) ^ TABLE[((crc >> 8) ^ byte) & 0xff]!
  return crc
}
