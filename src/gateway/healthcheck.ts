import { get } from 'node:http'
import process, { env, stderr } from 'node:process'
import { messageOf } from '../entity-registry/message-of.ts'

/**
 * `stateflow-gateway healthcheck [live|ready|URL]`: exit code 0 where the gateway in this container says yes. It loads nothing of the
 * gateway, because an engine may run it every few seconds beside the gateway on the same core.
 */

const paths = { live: '/-/livez', ready: '/-/readyz' } as const
/** Engines kill the check after their own timeout; this one says why. */
const TIMEOUT_MS = 2_500

export async function main([, what = 'live']: readonly string[]): Promise<void> {
  const failure = await failureOf(healthUrl(what))
  if (failure === undefined) return
  stderr.write(`stateflow-gateway: not healthy: ${failure}\n`)
  process.exitCode = 1
}

/**
 * What is asked, where these variables make the gateway listen. Whether it lives is asked on the management port, if there is one:
 * callers who hold all connections of the other port don't make a gateway ill.
 */
export function healthUrl(what: string, variables: NodeJS.ProcessEnv = env): string {
  const path = Object.entries(paths).find(([name]) => name === what)?.[1]
  if (path === undefined) return what
  const { HOST = '', PORT = '8000', MANAGEMENT_HOST = '127.0.0.1', MANAGEMENT_PORT } = variables
  if (what === 'ready' || MANAGEMENT_PORT === undefined) return `http://${reachable(HOST)}:${PORT}${path}`
  return `http://${reachable(MANAGEMENT_HOST)}:${MANAGEMENT_PORT}${path}`
}

function reachable(host: string): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** By `node:http`: `fetch` takes longer to load, and refuses ports that browsers do. */
function failureOf(url: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const fail = (error: unknown) => resolve(`${url}: ${messageOf(error)}`)
  try {
    const asked = get(url, { agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
      const { statusCode = 0 } = response
      resolve(statusCode === 200 ? undefined : `${url} answered ${statusCode}`)
      response.destroy()
    })
    asked.once('error', fail)
  } catch (error) {
    fail(error)
  }
  return promise
}
