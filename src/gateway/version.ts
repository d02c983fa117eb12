import { readFileSync } from 'node:fs'

/** The package's version; the file is two folders up from `src/gateway` and `dist/gateway` alike. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }
).version
