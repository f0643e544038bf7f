import { build, type Plugin } from 'vite'

/** The snippet that sites load, as one classic script. */
export async function buildSnippet(root: string): Promise<string> {
  const built = await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: 'snippet/weir.ts', formats: ['iife'], name: 'weirSnippet', fileName: () => 'weir.js' },
    },
  })
  const [output] = Array.isArray(built) ? built : [built]
  const chunk = output && 'output' in output ? output.output[0] : undefined
  if (!chunk) throw new Error('the snippet was not built')
  return chunk.code
}

/** Writes weir.js beside the dashboard's files. */
export function snippet(): Plugin {
  let root = ''
  return {
    name: 'snippet',
    apply: 'build',
    configResolved(config) {
      root = config.root
    },
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'weir.js', source: await buildSnippet(root) })
    },
  }
}
