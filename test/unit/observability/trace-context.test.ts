import { trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { createRecordWatch } from '../../../src/gateway/observability/record-watch.ts'
import { createTracing } from '../../../src/gateway/observability/tracing.ts'
import { readTraceContext } from '../../../src/routes/trace-context.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('the caller’s trace', () => {
  it('is taken as it is', () => {
    expect(readTraceContext({ traceparent })).toEqual({ traceparent })
    expect(readTraceContext({ traceparent, tracestate: 'a=1,b=2' })).toEqual({ traceparent, tracestate: 'a=1,b=2' })
  })

  it.each([
    ['no version ff', traceparent.replace(/^00/, 'ff')],
    ['no empty trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['no empty parent', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['capitals', traceparent.toUpperCase()],
    ['something behind it', `${traceparent}-00`],
    ['a line of its own', `${traceparent}\nx: y`],
    ['two of them', `${traceparent}, ${traceparent}`],
    ['nothing', ''],
  ])('is left out when it is not well-formed: %s', (_what, wrong) => {
    expect(readTraceContext({ traceparent: wrong, tracestate: 'a=1' })).toEqual({})
  })

  it('goes on without a state that is too long or not text', () => {
    expect(readTraceContext({ traceparent, tracestate: 'x'.repeat(513) })).toEqual({ traceparent })
    expect(readTraceContext({ traceparent, tracestate: 'a=\u0007' })).toEqual({ traceparent })
  })
})

describe('without an SDK', () => {
  it('nothing follows a request or a record', () => {
    expect(trace.getTracerProvider().getTracer('x').startSpan('x').isRecording()).toBe(false)
    expect(createTracing()).toBeUndefined()
    expect(createRecordWatch(undefined, createTracing())).toBeUndefined()
  })
})
