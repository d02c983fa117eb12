import { context } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Invoke } from '../../runtime-adapters/contract.ts'
import type { Histogram } from './histogram.ts'
import { metrics } from './metric-definition.ts'
import type { MetricPage } from './metric-page.ts'
import { conventionalMethod, type RequestSpan, type Tracing } from './tracing.ts'

export interface RequestWatchOptions {
  readonly page: MetricPage | undefined
  readonly tracing: Tracing | undefined
  readonly serverTiming: boolean
  readonly logRequests: boolean
}

type PrincipalOf = (request: FastifyRequest) => string

/** Follows each request from its head to the end of its answer. */
export interface RequestWatch {
  /** For each app that serves. Must come before every other hook: what they refuse is seen too. */
  register(app: FastifyInstance, principalOf: PrincipalOf): void
  /** A link of the chain: learns how long runtimes were waited for. */
  timed(invoke: Invoke): Invoke
}

interface Ended {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** `undefined`: the caller left before there was one. */
  readonly status: number | undefined
  readonly durationMs: number
}

export function createRequestWatch(options: RequestWatchOptions): RequestWatch {
  const { page, tracing, serverTiming, logRequests } = options
  const runtimes = createRuntimeTimes()
  const count = page === undefined ? undefined : createRequestMetrics(page)
  const active = page?.numbers(metrics.httpActive).cell()

  function begin(request: FastifyRequest, reply: FastifyReply, ends: readonly ((ended: Ended) => void)[]): void {
    const startedAtMs = performance.now()
    const span = tracing?.request(request)
    if (span !== undefined) {
      request[SPAN] = span
      request.callContext = span.callContext
    }
    if (serverTiming) runtimes.follow(request.id, startedAtMs)
    if (active !== undefined) active.value++
    reply.raw.on('close', () => {
      if (active !== undefined) active.value--
      if (serverTiming) runtimes.forget(request.id)
      const status = reply.raw.headersSent ? reply.statusCode : undefined
      const ended: Ended = { request, reply, status, durationMs: performance.now() - startedAtMs }
      for (const end of ends) end(ended)
      span?.end(status, reply.problemCode)
    })
  }

  return {
    register(app, principalOf) {
      const ends = [...(count === undefined ? [] : [count]), ...(logRequests ? [logLine(principalOf)] : [])]
      if (ends.length > 0 || tracing !== undefined || serverTiming) {
        app.addHook('onRequest', (request, reply, done) => {
          begin(request, reply, ends)
          done()
        })
      }
      if (serverTiming) addServerTiming(app, runtimes)
      if (tracing !== undefined) activateSpans(app)
    },
    timed: (invoke) => (serverTiming ? runtimes.timed(invoke) : invoke),
  }
}

function createRequestMetrics(page: MetricPage): (ended: Ended) => void {
  const durations = page.histogram(metrics.httpDuration)
  const problems = page.numbers(metrics.problems)
  /** By the route's own configuration, method and status: three looks into maps are all that a request costs. */
  const known = new WeakMap<object, Map<string, Map<number | undefined, Histogram>>>()

  function durationOf({ method, routeOptions: { config, url = '' } }: FastifyRequest, status: number | undefined) {
    const found = known.get(config)?.get(method)?.get(status)
    if (found !== undefined) return found
    const made = durations.cell(conventionalMethod(method), url, status === undefined ? '' : String(status))
    const byMethod = known.get(config) ?? new Map<string, Map<number | undefined, Histogram>>()
    known.set(config, byMethod.set(method, (byMethod.get(method) ?? new Map()).set(status, made)))
    return made
  }

  return ({ request, reply, status, durationMs }) => {
    durationOf(request, status).observe(durationMs / 1_000)
    if (reply.problemCode !== undefined) problems.cell(reply.problemCode).value++
  }
}

/** One line a request. Neither the path, which has keys in it, nor headers, nor arguments. */
function logLine(principalOf: PrincipalOf): (ended: Ended) => void {
  return ({ request, reply, status, durationMs }) => {
    const principal = principalOf(request)
    const { url: route, config } = request.routeOptions
    const fields = {
      method: request.method,
      route,
      status,
      durationMs: Math.round(durationMs * 1_000) / 1_000,
      // A call that is a request of its own shares its id.
      ...(config.operation === undefined ? {} : { invocationId: request.id }),
      ...(principal === '' ? {} : { principal }),
      ...(reply.problemCode === undefined ? {} : { problem: reply.problemCode }),
    }
    request.log.info(fields, status === undefined ? 'the caller left' : 'answered')
  }
}

const SPAN = Symbol('span')

declare module 'fastify' {
  interface FastifyRequest {
    [SPAN]: RequestSpan | undefined
  }
}

/** Spans that a custom route begins become children of the request's, where the SDK has a context manager. */
function activateSpans(app: FastifyInstance): void {
  app.decorateRequest(SPAN, undefined)
  app.addHook('preHandler', (request, _reply, done) => {
    const span = request[SPAN]
    if (span === undefined) done()
    else context.with(span.active, done)
  })
}

interface Waited {
  readonly startedAtMs: number
  runtimeMs: number | undefined
}

/** Runtime waits of the calls that are requests of their own: these share their ids. */
interface RuntimeTimes {
  follow(id: string, startedAtMs: number): void
  forget(id: string): void
  of(id: string): Waited | undefined
  timed(invoke: Invoke): Invoke
}

function createRuntimeTimes(): RuntimeTimes {
  const followed = new Map<string, Waited>()
  return {
    follow: (id, startedAtMs) => void followed.set(id, { startedAtMs, runtimeMs: undefined }),
    forget: (id) => void followed.delete(id),
    of: (id) => followed.get(id),
    timed: (invoke) => (invocation) => {
      const waited = followed.get(invocation.id)
      if (waited === undefined) return invoke(invocation)
      const beganAtMs = performance.now()
      return invoke(invocation).then((outcome) => {
        waited.runtimeMs = performance.now() - beganAtMs
        return outcome
      })
    },
  }
}

/** W3C Server Timing: only on answers for which a runtime was asked. */
function addServerTiming(app: FastifyInstance, times: RuntimeTimes): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const waited = times.of(request.id)
    if (waited?.runtimeMs !== undefined) {
      const totalMs = performance.now() - waited.startedAtMs
      reply.header('server-timing', `total;dur=${totalMs.toFixed(3)}, runtime;dur=${waited.runtimeMs.toFixed(3)}`)
    }
    done(null, payload)
  })
}
