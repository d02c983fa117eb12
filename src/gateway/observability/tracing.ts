import {
  type Context,
  context,
  createTraceState,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { FastifyRequest } from 'fastify'
import { atMost } from '../../entity-registry/at-most.ts'
import { memberOf } from '../../routes/target.ts'
import { readTraceContext } from '../../routes/trace-context.ts'
import type { FollowedSend, Invocation, InvocationContext, RecordWatch } from '../../runtime-adapters/contract.ts'
import { version } from '../version.ts'

/** Spans of requests and of records, for whatever SDK the process has registered. */
export interface Tracing extends Pick<RecordWatch, 'sending' | 'decoding'> {
  request(request: FastifyRequest): RequestSpan
}

export interface RequestSpan {
  /** What calls of this request belong to. */
  readonly callContext: InvocationContext
  /** For spans that custom routes begin. */
  readonly active: Context
  /** @param status `undefined`: the caller left before there was one */
  end(status: number | undefined, problem: string | undefined): void
}

/** The methods of HTTP's own standards, QUERY's draft included. Others are one, as the conventions want it. */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'])
const OTHER_METHOD = '_OTHER'

/** The method as OpenTelemetry's conventions want it to be named. */
export function conventionalMethod(method: string): string {
  return METHODS.has(method) ? method : OTHER_METHOD
}

const KAFKA = { 'messaging.system': 'kafka' }

/** What `traceparent` and `tracestate` say, kept with those that were made here: they are not read again. */
const SPAN_CONTEXT = Symbol('span context')

interface MadeContext extends InvocationContext {
  readonly [SPAN_CONTEXT]?: SpanContext
}

/** `undefined` where no SDK was registered before the gateway was built: then nothing at all is done for a call. */
export function createTracing(): Tracing | undefined {
  const tracer = registeredTracer()
  if (tracer === undefined) return undefined
  return {
    request: (request) => beginRequest(tracer, request),
    sending: (invocation, topic) => beginSend(tracer, invocation, topic),
    decoding({ topic, partition, offset }, invocation) {
      const parent = spanContextOf(invocation.context, false)
      if (parent === undefined || !isSampled(parent)) return undefined
      const attributes = {
        ...KAFKA,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.offset': Number(offset),
        'messaging.message.conversation_id': invocation.id,
        'gateway.reply.late': Date.now() > invocation.deadline,
      }
      // Linked, as the conventions want it, and in the caller's trace all the same.
      const options = { kind: SpanKind.CONSUMER, attributes, links: [{ context: parent }] }
      const span = tracer.startSpan(`process ${topic}`, options, trace.setSpanContext(ROOT_CONTEXT, parent))
      return (outcome) => {
        if (outcome.kind === 'malformed') fail(span, 'malformed', outcome.detail)
        span.end()
      }
    },
  }
}

/** What the SDK still holds goes out, within a time: it exports seconds later what has ended, and is not asked when a process exits. */
export async function flushSpans(withinMs: number): Promise<void> {
  const registered = trace.getTracerProvider()
  const provider = registered instanceof ProxyTracerProvider ? registered.getDelegate() : registered
  // SDKs have it; the API does not ask for it.
  const { forceFlush } = provider as { readonly forceFlush?: () => Promise<void> }
  if (forceFlush === undefined) return
  const flushed = Promise.resolve(forceFlush.call(provider))
  // That they can't be exported is the SDK's to tell.
  await atMost(
    withinMs,
    flushed.catch(() => undefined),
  )
}

function registeredTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider()
  const name = 'stateflow-gateway'
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer(name, version)
    : provider.getTracer(name, version)
}

function beginRequest(tracer: Tracer, request: FastifyRequest): RequestSpan {
  const { method, headers, id, protocol } = request
  const { url: route } = request.routeOptions
  const parent = spanContextOf(readTraceContext(headers), true)
  const outer = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
  const known = conventionalMethod(method)
  const attributes = {
    'http.request.method': known,
    ...(known === method ? {} : { 'http.request.method_original': method }),
    'url.scheme': protocol,
    // The path has keys in it, which may be personal; the route has not.
    ...(route === undefined ? {} : { 'http.route': route }),
    'gateway.invocation.id': id,
  }
  const verb = known === OTHER_METHOD ? 'HTTP' : known
  const name = route === undefined ? verb : `${verb} ${route}`
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, outer)
  return {
    callContext: callContextOf(span.spanContext()),
    active: trace.setSpan(outer, span),
    end(status, problem) {
      if (status !== undefined) span.setAttribute('http.response.status_code', status)
      if (problem !== undefined) span.setAttribute('gateway.problem.code', problem)
      // Semantic conventions: 4xx are no errors of a server.
      if (status === undefined) fail(span, 'aborted')
      else if (status >= 500) fail(span, problem ?? String(status))
      span.end()
    },
  }
}

/** Whether a trace is recorded is decided where it begins: the rest of one that is not costs nothing. */
function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0
}

function beginSend(
  tracer: Tracer,
  { id, target, context: given }: Invocation,
  topic: string,
): FollowedSend | undefined {
  const parent = spanContextOf(given, false)
  if (parent !== undefined && !isSampled(parent)) return undefined
  const outer = parent === undefined ? context.active() : trace.setSpanContext(ROOT_CONTEXT, parent)
  const attributes = {
    ...KAFKA,
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': topic,
    'messaging.message.conversation_id': id,
    'gateway.entity': target.entity.name,
    'gateway.operation': target.kind,
    'gateway.method': memberOf(target),
  }
  const span = tracer.startSpan(`send ${topic}`, { kind: SpanKind.PRODUCER, attributes }, outer)
  return {
    context: { ...given, ...callContextOf(span.spanContext()) },
    end(result) {
      if (result.kind !== 'acknowledged') fail(span, result.kind, result.detail)
      span.end()
    },
  }
}

function fail(span: Span, type: string, message?: string): void {
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) })
}

function callContextOf(made: SpanContext): MadeContext {
  const { traceId, spanId, traceFlags, traceState } = made
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
  const tracestate = traceState?.serialize()
  const told = { traceparent, [SPAN_CONTEXT]: made }
  return tracestate === undefined || tracestate === '' ? told : { ...told, tracestate }
}

function spanContextOf(given: MadeContext, isRemote: boolean): SpanContext | undefined {
  const { traceparent, tracestate, [SPAN_CONTEXT]: made } = given
  if (made !== undefined || traceparent === undefined) return made
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote }
  return tracestate === undefined ? parent : { ...parent, traceState: createTraceState(tracestate) }
}
