import { existsSync } from 'node:fs'
import process from 'node:process'
import { type Browser, chromium } from 'playwright-core'

/** Debian's; another one by the variable `CHROMIUM`. */
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Why there is no browser to test with; `undefined` where there is one. */
export const noChromium: string | undefined = existsSync(executablePath)
  ? undefined
  : `there is no ${executablePath}; CHROMIUM names another browser`

/** @param hosts names that the browser finds at 127.0.0.1 */
export function launchChromium(hosts: readonly string[] = []): Promise<Browser> {
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(', ')
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`]),
    ],
  })
}
