import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { InvocationStore } from '../../routes/invocation-store.ts'
import type { ProblemCode } from '../../routes/problem-codes.ts'
import { problemResponses } from '../../routes/problem-responses.ts'
import type { HealthCheck, Invoke, RecordWatch, RuntimeAdapter } from '../../runtime-adapters/contract.ts'
import type { WorkerSeat } from '../workers/worker-seat.ts'
import { addAdapterMetrics } from './adapter-metrics.ts'
import { createCallMetrics } from './call-metrics.ts'
import { metrics } from './metric-definition.ts'
import { createMetricPage, METRICS_MEDIA_TYPE, type MetricPage } from './metric-page.ts'
import type { ObservabilityOptions } from './options.ts'
import { addProcessMetrics } from './process-metrics.ts'
import { createRecordWatch } from './record-watch.ts'
import { createRequestWatch } from './request-watch.ts'
import { withStoreMetrics } from './store-metrics.ts'
import { createTracing } from './tracing.ts'

/** What one can see of a running gateway: metrics, traces, a line a request, `Server-Timing`. */
export interface Observability {
  /** For the adapters. */
  readonly records: RecordWatch | undefined
  /** The same store, with its exchanges timed. */
  readonly watchStore: (store: InvocationStore) => InvocationStore
  /** The outermost link of the chain. */
  readonly watchCalls: (invoke: Invoke) => Invoke
  /** A line of a batch was answered. */
  readonly noteLine: (status: number) => void
  /** What the last canary call of each name came to; a reload knows no less of the runtime than was known before. */
  readonly canaryChecks: Map<string, HealthCheck>
  /** `undefined`: metrics are off. */
  readonly page: MetricPage | undefined
  /** What is counted elsewhere goes onto the page too, and the process is watched until the returned function is called. */
  watchProcess(parts: ObservedParts): () => void
  /** Before every other hook: what they refuse is seen too. */
  registerHooks(app: FastifyInstance, principalOf: (request: FastifyRequest) => string): void
  /**
   * On the server that shows the page; it may have a port of its own.
   * @param worker where the page is that of all workers
   */
  registerRoutes(app: FastifyInstance, worker?: Pick<WorkerSeat, 'showMetrics'>): void
}

export interface ObservedParts {
  readonly adapters: ReadonlyMap<string, RuntimeAdapter>
  readonly strays: { counters(): Readonly<Record<string, number>> }
}

export function createObservability(options: ObservabilityOptions, logRequests: boolean): Observability {
  const page = options.metrics ? createMetricPage() : undefined
  const tracing = createTracing()
  const requests = createRequestWatch({ page, tracing, serverTiming: options.serverTiming, logRequests })
  const countCalls = page === undefined ? (invoke: Invoke) => invoke : createCallMetrics(page)
  const lines = page?.numbers(metrics.batchLines)
  return {
    page,
    canaryChecks: new Map(),
    records: createRecordWatch(page, tracing),
    watchStore: (store) => (page === undefined ? store : withStoreMetrics(store, page)),
    watchCalls: (invoke) => requests.timed(countCalls(invoke)),
    noteLine(status) {
      const line = lines?.cell(String(status))
      if (line !== undefined) line.value++
    },
    registerHooks: (app, principalOf) => requests.register(app, principalOf),
    watchProcess({ adapters, strays }) {
      if (page === undefined) return () => {}
      const stop = addProcessMetrics(page)
      addAdapterMetrics(page, adapters)
      page.ask(metrics.strays, () => Object.entries(strays.counters()).map(([name, value]) => [value, name]))
      return stop
    },
    registerRoutes(app, worker) {
      if (page === undefined) return
      if (worker === undefined) serveMetrics(app, page.text, [])
      else serveMetrics(app, worker.showMetrics(page), ['not_ready'])
    },
  }
}

/** @param failures that `text` may end with */
function serveMetrics(
  app: FastifyInstance,
  text: () => string | Promise<string>,
  failures: readonly ProblemCode[],
): void {
  app.get('/-/metrics', {
    schema: {
      operationId: 'metrics',
      tags: ['gateway'],
      summary: 'What the gateway counts, for Prometheus',
      response: {
        200: {
          description: 'Prometheus’s text format, version 0.0.4.',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        ...problemResponses([...failures, 'bad_request', 'headers_too_large']),
      },
    },
    handler: async (_request, reply) => {
      return reply
        .type(METRICS_MEDIA_TYPE)
        .header('cache-control', 'no-store')
        .send(await text())
    },
  })
}
