/** `hubbub` that ends with whoever started it, even one that was killed: its stdin ends then. */
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM')).resume()
await import('../../server/bin/hubbub.mjs')
