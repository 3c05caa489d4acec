import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The page as static files in dist/ui, with relative paths: every node serves it from wherever it listens. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: {
    outDir: '../../../dist/ui',
    emptyOutDir: true,
    target: 'es2023',
    chunkSizeWarningLimit: 900
  }
})
