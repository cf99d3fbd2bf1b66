/** WebSocket text frames, made by hand: one buffer goes to every socket of an audience. */

/** An unmasked text frame. @param prefix one ASCII character before the text, or none */
export function webSocketFrame(text: string, prefix: '' | '4' = ''): Buffer {
  const length = Buffer.byteLength(text) + prefix.length
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(header + length)
  bytes[0] = 0x81
  if (header === 2) bytes[1] = length
  else if (header === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(length), 2)
  }
  if (prefix !== '') bytes[header] = prefix.charCodeAt(0)
  bytes.write(text, header + prefix.length)
  return bytes
}
