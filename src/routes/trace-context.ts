import type { IncomingHttpHeaders } from 'node:http'
import type { InvocationContext } from '../runtime-adapters/contract.ts'

/** W3C Trace Context, section 3.2.2: version, trace, parent and flags. What a later version may add to these is not known here. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
/** Section 3.3: printable ASCII; 512 characters are what everybody must be able to pass on. */
const TRACESTATE = /^[ -~]{1,512}$/

type TraceContext = Pick<InvocationContext, 'traceparent' | 'tracestate'>

const NONE: TraceContext = {}

/** The caller's trace. What is not well-formed is left out: it goes into records and must be what it says. */
export function readTraceContext({ traceparent, tracestate }: IncomingHttpHeaders): TraceContext {
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return NONE
  return typeof tracestate === 'string' && TRACESTATE.test(tracestate) ? { traceparent, tracestate } : { traceparent }
}
