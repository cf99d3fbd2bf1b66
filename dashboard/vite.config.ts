import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Compressed once here, and not by the hub for each who looks. */
const compressed: Plugin = {
  name: 'compressed',
  // Behind vite's own, which writes what a route preloads into the chunks.
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      for (const file of Object.values(bundle)) {
        const content = file.type === 'chunk' ? file.code : file.source
        if (content.length < 1024 || !/\.(js|css|svg)$/.test(file.fileName)) continue
        this.emitFile({ type: 'asset', fileName: `${file.fileName}.br`, source: brotliCompressSync(content) })
        this.emitFile({ type: 'asset', fileName: `${file.fileName}.gz`, source: gzipSync(content, { level: 9 }) })
      }
    },
  },
}

/** Relative addresses: it is served at `/`, or wherever a proxy puts the hub. A route's code comes when it is first shown. */
export default defineConfig({
  base: './',
  plugins: [compressed],
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // What it says of `use client` is for servers that render; this page has none.
    rolldownOptions: { onLog: (level, log, tell) => void (log.code === 'MODULE_LEVEL_DIRECTIVE' || tell(level, log)) },
  },
})
