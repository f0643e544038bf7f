/// <reference types="vitest/config" />
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

import { compress } from './build/compress.ts'
import { licences } from './build/licences.ts'
import { snippet } from './build/snippet.ts'

const server = 'http://127.0.0.1:8080'

export default defineConfig({
  // Relative to the <base> that the server puts into the page: it may be below a path.
  base: './',
  plugins: [react(), tailwindcss(), licences(), snippet(), compress()],
  server: {
    proxy: { '/api': server, '/v1': server },
  },
  build: {
    // The server's Content-Security-Policy allows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // ECharts is most of the project page's chunk.
    chunkSizeWarningLimit: 600,
    // A build empties dist and copies public/.gitkeep back, which go:embed needs.
    emptyOutDir: true,
    // What several parts share is one file: each more would be a request more of the first view.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] } } },
  },
  test: { include: ['src/**/*.test.ts', 'snippet/**/*.test.ts', 'mock/**/*.test.mjs'] },
})
