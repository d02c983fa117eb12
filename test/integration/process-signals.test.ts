import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { binFile, type GatewayProcess, type ProcessOptions, startProcess } from '../helpers/gateway-process.ts'

const running: GatewayProcess[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()))
})

function start(options: ProcessOptions): GatewayProcess {
  const one = startProcess({ ...options, env: { PORT: '0', ...options.env } })
  running.push(one)
  return one
}

/** A gateway that gets the signal at the moment at which it begins to load its modules. */
function startUnderSignal(signal: NodeJS.Signals): GatewayProcess {
  const hook = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.endsWith('/main.ts')) process.kill(process.pid, '${signal}')
        return next(specifier, context)
      },
    })`
  const preload = `--import=data:text/javascript,${encodeURIComponent(hook)}`
  return start({ args: ['serve'], env: { NODE_OPTIONS: preload } })
}

describe('a signal while modules load', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends the process with 0', async (signal) => {
    const gateway = startUnderSignal(signal)
    expect(await gateway.exit()).toBe(0)
    expect(gateway.stdout()).not.toContain('; docs at ')
  })

  it('SIGHUP does not end it', async () => {
    expect((await fetch(`${await startUnderSignal('SIGHUP').url()}/-/livez`)).status).toBe(200)
  })
})

describe('a terminal', () => {
  const script = '/usr/bin/script'
  const skipped = existsSync(script) ? '' : ` [skipped: needs ${script}]`

  async function startInTerminal() {
    const line = `echo pid $$; exec ${process.execPath} ${binFile} serve`
    const terminal = start({ command: [script, '-qec', line, '/dev/null'] })
    const url = await terminal.url()
    const pid = Number(/pid (\d+)/.exec(terminal.stdout())?.[1])
    return { terminal, url, pid }
  }

  it.skipIf(skipped !== '')(`that is closed ends the gateway that was started in it${skipped}`, async () => {
    const { terminal, url, pid } = await startInTerminal()
    try {
      terminal.child.kill('SIGKILL')
      const isGone = () => fetch(url).then(...[() => false, () => true])
      await vi.waitUntil(isGone, { timeout: 15_000, interval: 50 })
    } catch (error) {
      process.kill(pid, 'SIGKILL')
      throw error
    }
  })

  it.skipIf(skipped !== '')(`that is open lets SIGHUP ask for new metadata${skipped}`, async () => {
    const { terminal, url, pid } = await startInTerminal()
    process.kill(pid, 'SIGHUP')
    await terminal.said('the metadata is as it was')
    expect((await fetch(`${url}/-/livez`)).status).toBe(200)
  })
})

describe('spans that an SDK still holds', () => {
  const { resolve } = createRequire(import.meta.url)

  /** A gateway whose SDK exports nothing by itself for an hour; what it exports goes to the output. */
  function startTraced(afterwards: string) {
    const tracing = `
      import { trace } from '${pathToFileURL(resolve('@opentelemetry/api'))}'
      import sdk from '${pathToFileURL(resolve('@opentelemetry/sdk-trace-base'))}'
      const exporter = {
        export(spans, done) {
          for (const { name } of spans) process.stdout.write('exported ' + name + '\\n')
          ${afterwards}
        },
        async shutdown() {},
      }
      const processor = new sdk.BatchSpanProcessor(exporter, { scheduledDelayMillis: 3_600_000 })
      trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({ spanProcessors: [processor] }))`
    const preload = `--import=data:text/javascript,${encodeURIComponent(tracing)}`
    return start({ args: ['serve'], env: { NODE_OPTIONS: preload, GATEWAY_SHUTDOWN_GRACE_MS: '1000' } })
  }

  it.each([
    ['are exported when it ends', 'done({ code: 0 })'],
    ['hold it up no longer than a moment where their collector does not answer', ''],
  ])('%s', async (_what, afterwards) => {
    const gateway = startTraced(afterwards)
    await fetch(`${await gateway.url()}/user/nobody/balance`)
    expect(gateway.stdout()).not.toContain('exported')
    gateway.child.kill('SIGTERM')
    expect(await gateway.exit()).toBe(0)
    expect(gateway.stdout()).toContain('exported GET /user/:key/balance')
    expect(gateway.stdout()).not.toContain('killed by timeout')
  })
})
