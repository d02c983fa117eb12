import process, { env } from 'node:process'
import { isatty } from 'node:tty'
import closeWithGrace from 'close-with-grace'
import { compileEntities } from '../entity-registry/compile-entities.ts'
import { stringifyExact } from '../entity-registry/exact-json.ts'
import { createHints } from '../entity-registry/hints.ts'
import { loadMetadata } from '../entity-registry/load-metadata.ts'
import { bindingsOf, clashes } from '../routes/binding.ts'
import { adapterNames } from '../runtime-adapters/catalog.ts'
import type { Capabilities } from '../runtime-adapters/contract.ts'
import { newApiKey } from './access/api-keys.ts'
import { type Config, ConfigError } from './config.ts'
import { setEngineFlags } from './engine-flags.ts'
import { buildGateway, type Gateway } from './gateway.ts'
import { logDestination, loggerOptions } from './logger.ts'
import type { LogDestination } from './observability/log-destination.ts'
import { flushSpans } from './observability/tracing.ts'
import { overridesOf } from './overrides-of.ts'
import { readSeat } from './workers/seat-facts.ts'
import { serveByWorkers, workerCount } from './workers/serve-by-workers.ts'
import { takeSeat, type WorkerSeat } from './workers/worker-seat.ts'

/** Milliseconds beyond the grace for what is written last, and for what does not answer any more. */
const CLOSING_MS = 5_000
/** Milliseconds of these for the last spans, where their collector is away. */
const LAST_SPANS_MS = 1_000
/** Milliseconds of these for the last lines of the log, where nobody reads it. */
const LAST_LINES_MS = 1_000

/** Listens until SIGTERM or SIGINT, and reads metadata again at SIGHUP; calls under way then have `shutdownGraceMs` to end. */
export async function serve(config: Config, files: readonly string[] = []): Promise<void> {
  if (files.length > 0) {
    throw new ConfigError([`serve takes flags only, not "${files.join(' ')}". Metadata is given by --metadata.`])
  }
  const facts = readSeat(env)
  if (facts !== undefined) return serveAsWorker(takeSeat(config, facts))
  stopWithTerminal()
  const count = workerCount(config)
  if (count > 1) return serveByWorkers({ config, count, stopMs: config.shutdownGraceMs + CLOSING_MS })
  await serveHere(config)
}

/** Whose terminal is closed can't be stopped by it any more; that SIGHUP means the end, not new metadata. */
function stopWithTerminal(): void {
  const terminal = [0, 1, 2].find((stream) => isatty(stream))
  if (terminal === undefined) return
  const look = (): void => {
    if (isatty(terminal)) return
    // Once: a shell and the system may both say so, and a second SIGTERM would cut calls off.
    process.off('SIGHUP', look)
    process.kill(process.pid, 'SIGTERM')
  }
  process.on('SIGHUP', look)
}

/** Its failure is the primary process's to tell. */
async function serveAsWorker(seat: WorkerSeat): Promise<void> {
  try {
    await seat.serving(await serveHere(seat.config, seat))
  } catch (error) {
    await seat.failed(error)
    process.exit(1)
  }
}

/** @returns what there is, and where */
async function serveHere(config: Config, worker?: WorkerSeat): Promise<string> {
  setEngineFlags()
  const isTerminal = process.stdout.isTTY
  const destination = logDestination(config, isTerminal, worker === undefined)
  // Process 1 of a container is not ended by a signal that nobody handles, and a start can take long.
  const quit = () => process.exit(0)
  process.once('SIGTERM', quit)
  // A terminal sends it to all processes of a command; workers are stopped by their primary.
  process.once('SIGINT', worker === undefined ? quit : () => undefined)
  const hangUps = catchHangUps()
  const logger = loggerOptions(config, isTerminal, { destination, worker: worker?.number })
  const gateway = await buildGateway({ config, logger, worker })
  const stop = closeOnSignals(gateway, { config, worker, destination })
  process.off('SIGTERM', quit).off('SIGINT', quit)
  try {
    // Refused, a connection would be offered to one worker after the other for as long as all are full.
    if (worker !== undefined) Object.assign(gateway.server, { dropMaxConnection: true })
    const announcements = (await gateway.listen()).map((address) => announce(gateway, address))
    for (const text of worker === undefined ? announcements : [`worker ${worker.number} serves`])
      gateway.app.log.info(text)
    hangUps.obey(() => void gateway.reload())
    await warnOfFailing(gateway)
    return announcements[0] ?? ''
  } catch (error) {
    // Its hook for a normal end would exit with 0.
    stop.uninstall()
    await gateway.close()
    throw error
  }
}

/** A SIGHUP that comes while the gateway starts is obeyed once it serves: it may have read its files already, and must not end of it. */
function catchHangUps(): { obey(reload: () => void): void } {
  let isDue = false
  let obeyed = (): void => {
    isDue = true
  }
  process.on('SIGHUP', () => obeyed())
  return {
    obey(reload) {
      obeyed = reload
      if (isDue) reload()
    },
  }
}

interface Ending {
  readonly config: Config
  readonly worker: WorkerSeat | undefined
  readonly destination: LogDestination | undefined
}

function closeOnSignals(gateway: Gateway, { config, worker, destination }: Ending): { readonly uninstall: () => void } {
  const delay = config.shutdownGraceMs + CLOSING_MS
  const closing = closeWithGrace(
    { delay, logger: gateway.app.log, skip: worker === undefined ? ['SIGHUP'] : ['SIGHUP', 'SIGINT', 'SIGTERM'] },
    async ({ err }) => {
      if (err !== undefined) gateway.app.log.error({ err }, 'stopping after an error that nobody caught')
      await gateway.close()
      await flushSpans(LAST_SPANS_MS)
      await destination?.drained(LAST_LINES_MS)
    },
  )
  if (worker === undefined) return closing
  let isStopping = false
  const stop = () => {
    if (!isStopping) void closing.close()
    isStopping = true
  }
  worker.onStop(stop)
  process.on('SIGTERM', stop).on('SIGINT', () => undefined)
  return closing
}

/** What will keep calls from being answered is said when nobody has called yet. */
async function warnOfFailing({ app, runtimes }: Gateway): Promise<void> {
  for (const { name, ok, detail } of await runtimes.checks()) {
    if (!ok) app.log.warn({ check: name, detail }, 'a check fails at the start')
  }
}

function announce({ app, registry: { entities }, runtimes }: Gateway, address: string): string {
  // Operations of the document, so that the docs page's own files don't count.
  const routes = app.countOperations()
  const names = [...runtimes.adapters].map(([name, { name: kind }]) => (name === kind ? name : `${name} (${kind})`))
  return `${entities.length} ${entities.length === 1 ? 'entity' : 'entities'} on runtime ${names.join(', ')}, ${routes} routes at ${address}; docs at ${address}/docs`
}

/** Prints a new API key, and what of it belongs into the configuration. */
export function printApiKey([id, ...scopes]: readonly string[]): void {
  if (id === undefined)
    throw new ConfigError(['new-api-key needs an id, then the scopes: new-api-key shop user:read user:write'])
  const { key, entry } = newApiKey(id, scopes)
  process.stdout.write(`key    ${key}\nentry  ${entry}\n`)
  process.stderr.write(
    'Give the key to its owner: it is shown this once. Add the entry to GATEWAY_API_KEYS, or to its file.\n',
  )
}

/** Whatever the runtime: what else has a route depends on it. */
const callsAlone: Capabilities = {
  ...{ create: false, find: false, readState: false, readAttribute: false, writeAttribute: false },
  ...{ enforcesReadOnly: false, atomic: false, delivery: 'at-most-once' },
}

/** @throws Error with every problem */
export function check(files: readonly string[], config: Pick<Config, 'overrides'> = {}): void {
  if (files.length === 0) throw new ConfigError(['check needs at least one file.'])
  const hints = createHints()
  const entities = compileEntities(loadMetadata(files), overridesOf(config), hints.note)
  const problems = clashes(entities.flatMap((entity) => bindingsOf(entity, callsAlone)))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  for (const hint of hints.said) process.stdout.write(`hint: ${hint}\n`)
  const methods = entities.reduce((sum, entity) => sum + entity.methods.size, 0)
  process.stdout.write(`ok: ${entities.length} entities, ${methods} methods\n`)
}

/** Prints the document without reaching for any runtime, so the runtimes need not be configured either. */
export async function printOpenapi(config: Config, files: readonly string[]): Promise<void> {
  const metadata = [...config.metadata, ...files]
  const runtimes = config.runtimes ?? instancesNamed(metadata)
  const gateway = await buildGateway({
    config: { ...config, metadata, ...(runtimes === undefined ? {} : { runtimes }) },
    connect: false,
  })
  process.stdout.write(`${stringifyExact(gateway.app.swagger(), 2)}\n`)
  await gateway.close()
}

/** An instance for each adapter that the documents name; `undefined` where a name needs the configuration to explain it. */
function instancesNamed(metadata: readonly string[]): Config['runtimes'] {
  const names = loadMetadata(metadata).map(({ document }) => document.runtime?.name)
  const adapters = adapterNames.filter((name) => names.includes(name))
  const isKnown = names.length > 0 && names.every((name) => adapters.some((adapter) => adapter === name))
  return isKnown ? Object.fromEntries(adapters.map((adapter) => [adapter, { adapter }])) : undefined
}
