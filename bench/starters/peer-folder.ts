import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cachedBuild } from '../../test/helpers/cached-build.ts'
import { runCommand } from '../../test/helpers/run-command.ts'

const INSTALL_LIMIT_MS = 300_000

export const peerSource = (name: string) => join(import.meta.dirname, '..', 'peers', name)

/** A peer's packages, installed from its lock file into the tests' cache, and its program beside them. @returns the folder */
export function installPeer(name: string, { app, lockedIn }: { readonly app: string; readonly lockedIn: string }) {
  const files = ['package.json', 'package-lock.json'].map((file) => join(lockedIn, file))
  return cachedBuild({
    name: `bench-${name}`,
    inputs: [...files, app].map((file) => readFileSync(file, 'utf8')),
    build: async (folder) => {
      for (const file of files) cpSync(file, join(folder, file.slice(lockedIn.length)))
      cpSync(app, join(folder, 'app.mjs'))
      // None of these packages needs its scripts, and one of them reports the installation to its makers.
      const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
      await runCommand('npm', args, { timeoutMs: INSTALL_LIMIT_MS })
    },
  })
}
