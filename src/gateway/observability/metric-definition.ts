/** What a metric is, apart from its numbers. */
export interface MetricDefinition {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram, in its unit, ascending; the last one, infinity, is left out. */
  readonly buckets?: readonly number[]
  /** What several workers show together. Default: the sum. */
  readonly together?: 'each' | 'least'
}

/** What OpenTelemetry advises for request durations (semantic conventions 1.44, `http.server.request.duration`). */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** A broker and a store answer sooner than a call does. */
const SHORT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

const CALL = ['entity', 'operation', 'method']

/**
 * Every metric of `/-/metrics`. Names of requests and messages follow OpenTelemetry's semantic conventions, in Prometheus's form; those of
 * the process are prom-client's, which dashboards know. Labels hold what metadata, settings and code name; never a key, an id or a caller.
 * `docs/metrics.md` is written from here.
 */
export const metrics = {
  httpDuration: {
    name: 'http_server_request_duration_seconds',
    kind: 'histogram',
    help: 'Time from a request’s head to the end of its answer. The status is empty where the caller left before there was one.',
    labels: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: SECONDS,
  },
  httpActive: {
    name: 'http_server_active_requests',
    kind: 'gauge',
    help: 'Requests that are being answered.',
    labels: [],
  },
  problems: {
    name: 'gateway_problems_total',
    kind: 'counter',
    help: 'Answers that were problems, by their code: what was refused, shed, not sent or not known.',
    labels: ['code'],
  },
  calls: {
    name: 'gateway_calls_total',
    kind: 'counter',
    help: 'Calls that were handed to a runtime’s adapter, by what came of them. The cause says why a call was rejected, not sent or is unknown.',
    labels: [...CALL, 'outcome', 'cause'],
  },
  replyLatency: {
    name: 'gateway_reply_latency_seconds',
    kind: 'histogram',
    help: 'Time from handing a call to its adapter to the runtime’s answer. Calls without an answer are not in it.',
    labels: CALL,
    buckets: SECONDS,
  },
  pending: {
    name: 'gateway_pending_calls',
    kind: 'gauge',
    help: 'Calls that wait for their answer from a runtime instance.',
    labels: ['runtime'],
  },
  replies: {
    name: 'gateway_replies_total',
    kind: 'counter',
    help: 'Replies that were read, by what became of them: answered, late, duplicate, foreign, unreadable.',
    labels: ['runtime', 'result'],
  },
  runtimeEvents: {
    name: 'gateway_runtime_events_total',
    kind: 'counter',
    help: 'What else an adapter counts, by its own name for it.',
    labels: ['runtime', 'event'],
  },
  sendDuration: {
    name: 'messaging_client_operation_duration_seconds',
    kind: 'histogram',
    help: 'Time from handing a request to the Kafka client to knowing what became of it.',
    labels: ['messaging_system', 'messaging_operation_name', 'messaging_destination_name', 'error_type'],
    buckets: SHORT_SECONDS,
  },
  sent: {
    name: 'messaging_client_sent_messages_total',
    kind: 'counter',
    help: 'Requests that were handed to the Kafka client. The error is empty for those that the brokers acknowledged.',
    labels: ['messaging_system', 'messaging_operation_name', 'messaging_destination_name', 'error_type'],
  },
  consumed: {
    name: 'messaging_client_consumed_messages_total',
    kind: 'counter',
    help: 'Records that were read from reply topics, those of other replicas included.',
    labels: ['messaging_system', 'messaging_operation_name', 'messaging_destination_name'],
  },
  strays: {
    name: 'gateway_stray_replies_total',
    kind: 'counter',
    help: 'Replies that nobody waited for: kept (late ones), adopted (of replicas that died), lost (the store was away).',
    labels: ['result'],
  },
  storeDuration: {
    name: 'gateway_store_operation_duration_seconds',
    kind: 'histogram',
    help: 'Time that an operation of the invocation store took, waits for answers left out.',
    labels: ['store', 'operation', 'result'],
    buckets: SHORT_SECONDS,
  },
  batchLines: {
    name: 'gateway_batch_lines_total',
    kind: 'counter',
    help: 'Lines of batches that were answered, by the status of the answer.',
    labels: ['status'],
  },
  reloads: {
    name: 'gateway_reloads_total',
    kind: 'counter',
    help: 'Times that metadata was read again, or a sunset came: swapped, unchanged, blocked (it would break callers), failed (the old one serves on).',
    labels: ['result'],
  },
  generation: {
    name: 'gateway_generation',
    kind: 'gauge',
    help: 'Which set of entities serves: 1 at the start, one more with each swap.',
    labels: [],
    together: 'least',
  },
  lastSwap: {
    name: 'gateway_last_swap_timestamp_seconds',
    kind: 'gauge',
    help: 'When the entities that serve began to.',
    labels: [],
    together: 'least',
  },
  shed: {
    name: 'gateway_shed_calls_total',
    kind: 'counter',
    help: 'Calls that were refused since too much was under way: of their entity type (entity), of their entity (key), in their runtime (runtime), or in the process (door).',
    labels: ['cause'],
  },
  rateLimited: {
    name: 'gateway_rate_limited_calls_total',
    kind: 'counter',
    help: 'Calls that were over a quota, by its policy: caller or key.',
    labels: ['policy'],
  },
  rateLocal: {
    name: 'gateway_rate_local_counts_total',
    kind: 'counter',
    help: 'Counts towards a quota that this replica made by itself, since Redis was away.',
    labels: [],
  },
  callLimit: {
    name: 'gateway_call_limit',
    kind: 'gauge',
    help: 'Calls that a runtime instance is given at once, as its latency allows. Only with GATEWAY_ADAPTIVE.',
    labels: ['runtime'],
  },
  callsInFlight: {
    name: 'gateway_calls_in_flight',
    kind: 'gauge',
    help: 'Calls under way of those that the limit holds for: without accepted ones, which nobody waits for. Only with GATEWAY_ADAPTIVE.',
    labels: ['runtime'],
  },
  callsQueued: {
    name: 'gateway_calls_queued',
    kind: 'gauge',
    help: 'Lines of batches that wait for room under the limits.',
    labels: [],
  },
  canaryUp: {
    name: 'gateway_canary_up',
    kind: 'gauge',
    help: 'Whether the last canary call was answered: 1 or 0.',
    labels: ['canary'],
    together: 'least',
  },
  canaryDuration: {
    name: 'gateway_canary_duration_seconds',
    kind: 'histogram',
    help: 'Time that canary calls took, answered or not.',
    labels: ['canary'],
    buckets: SECONDS,
  },
  info: {
    name: 'gateway_info',
    kind: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node_version'],
    together: 'least',
  },
  lagMean: {
    name: 'nodejs_eventloop_lag_mean_seconds',
    kind: 'gauge',
    help: 'Mean delay of the event loop since the last scrape.',
    labels: [],
    together: 'each',
  },
  lagP99: {
    name: 'nodejs_eventloop_lag_p99_seconds',
    kind: 'gauge',
    help: 'Delay of the event loop that 99 % did not exceed since the last scrape.',
    labels: [],
    together: 'each',
  },
  lagMax: {
    name: 'nodejs_eventloop_lag_max_seconds',
    kind: 'gauge',
    help: 'Longest delay of the event loop since the last scrape.',
    labels: [],
    together: 'each',
  },
  loopUtilization: {
    name: 'nodejs_eventloop_utilization',
    kind: 'gauge',
    help: 'Share of the time since the last scrape in which the event loop was busy, from 0 to 1.',
    labels: [],
    together: 'each',
  },
  heapUsed: {
    name: 'nodejs_heap_size_used_bytes',
    kind: 'gauge',
    help: 'Bytes of V8’s heap that are in use.',
    labels: [],
    together: 'each',
  },
  heapTotal: {
    name: 'nodejs_heap_size_total_bytes',
    kind: 'gauge',
    help: 'Bytes of V8’s heap.',
    labels: [],
    together: 'each',
  },
  external: {
    name: 'nodejs_external_memory_bytes',
    kind: 'gauge',
    help: 'Bytes outside V8’s heap that its objects hold, buffers among them.',
    labels: [],
    together: 'each',
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    kind: 'counter',
    help: 'CPU time of the process, user and system.',
    labels: [],
    together: 'each',
  },
  resident: {
    name: 'process_resident_memory_bytes',
    kind: 'gauge',
    help: 'Bytes of memory that the process has in RAM.',
    labels: [],
    together: 'each',
  },
  started: {
    name: 'process_start_time_seconds',
    kind: 'gauge',
    help: 'When the process began, in seconds since the epoch.',
    labels: [],
    together: 'each',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>
