/**
 * The one table of failures: what callers can switch on. `docs/errors.md` is written from it and held by a test.
 * `outcome` says whether the call may have happened, `retry` what to do about it:
 * `safe`: send it again; `after`: again, once `Retry-After` has passed; `same_key`: only with the idempotency key that it had, since the
 * first attempt may have worked; `never`: the same call will fail again.
 */

export type ProblemOutcome = 'not_sent' | 'unknown' | 'raised' | 'rejected'
export type ProblemRetry = 'safe' | 'same_key' | 'never' | 'after'
export type ProblemSource = 'gateway' | 'broker' | 'runtime' | 'method'

export interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly source: ProblemSource
  readonly outcome: ProblemOutcome
  readonly retry: ProblemRetry
  /** What it means and what to do, for the problem's page. */
  readonly advice: string
}

const refused = { source: 'gateway', outcome: 'not_sent', retry: 'never' } as const
const later = { status: 503, outcome: 'not_sent', retry: 'after' } as const

export const problemKinds = {
  bad_request: {
    ...refused,
    status: 400,
    title: 'Bad request',
    advice:
      'The request could not be read as HTTP. `detail` says what is wrong with it. With status 408 it came too slowly, and may be sent again.',
  },
  malformed_json: {
    ...refused,
    status: 400,
    title: 'The body is not valid JSON',
    advice:
      'Send UTF-8 encoded JSON. Also refused: integers beyond 64 bits, numbers no double can hold, unpaired surrogates, ' +
      'members named `__proto__`, and values nested more than 64 levels deep.',
  },
  invalid_idempotency_key: {
    ...refused,
    status: 400,
    title: 'The idempotency key is not valid',
    advice: '`Idempotency-Key` holds one string of 1 to 255 visible ASCII characters, quoted or bare.',
  },
  unknown_preference: {
    ...refused,
    status: 400,
    title: 'A preference is not known',
    advice: 'With `Prefer: handling=strict`, every other preference must be one that this gateway honours.',
  },
  validation_failed: {
    ...refused,
    status: 400,
    title: 'The request does not fit the method',
    advice: '`errors` lists each place by JSON Pointer, with what was expected there. Nothing was sent to the runtime.',
  },
  invalid_key: {
    ...refused,
    status: 400,
    title: 'The key is not valid',
    advice: 'The key in the path does not fit the entity’s key: wrong type, empty, over 1 KiB, or not valid UTF-8.',
  },
  unsupported_call: {
    ...refused,
    status: 400,
    source: 'runtime',
    title: 'The runtime can’t be asked this',
    advice:
      'The call fits its metadata, but sending it would do harm in this runtime, or it has a condition (`If-Match`, `If-None-Match`) ' +
      'that no runtime can keep to; `detail` says why. It was not sent.',
  },
  unauthenticated: {
    ...refused,
    status: 401,
    title: 'Say who you are',
    advice: 'This needs credentials, and the request has none. `WWW-Authenticate` names the kinds that are taken.',
  },
  invalid_credentials: {
    ...refused,
    status: 401,
    title: 'The credentials are not good',
    advice:
      'The token or key is expired, unknown, meant for somebody else or not signed as it should be; `detail` says which. Get a ' +
      'new one. Credentials that are not good are refused even where none are needed.',
  },
  forbidden: {
    ...refused,
    status: 403,
    title: 'Not allowed',
    advice:
      'The caller is known and may not do this: a scope is missing, the entity belongs to somebody else, or nobody may. The same ' +
      'answer comes whether or not the entity exists.',
  },
  route_not_found: {
    ...refused,
    status: 404,
    title: 'No such route',
    advice: 'No entity type, method or attribute has this path. `hint` names the nearest one; `/docs` shows them all.',
  },
  entity_not_found: {
    source: 'runtime',
    status: 404,
    title: 'No such entity',
    outcome: 'rejected',
    retry: 'never',
    advice:
      'No entity has this key, or one that the arguments refer to does not exist. With `outcome: raised` a split method may ' +
      'have done part of its work before it found out.',
  },
  method_not_allowed: {
    ...refused,
    status: 405,
    title: 'Wrong HTTP method',
    advice: 'The path exists, but not with this HTTP method. `Allow` lists those it has.',
  },
  invocation_not_found: {
    ...refused,
    status: 404,
    title: 'No such invocation',
    advice: 'No invocation has this id, or it belongs to another caller.',
  },
  entity_exists: {
    source: 'runtime',
    status: 409,
    title: 'The entity exists already',
    outcome: 'rejected',
    retry: 'never',
    advice: 'An entity with this key was created before. It has not been changed.',
  },
  invocation_gone: {
    ...refused,
    status: 410,
    title: 'The invocation is no longer kept',
    advice: 'It was finished, and its retention (`GATEWAY_RETENTION_MS`) has passed.',
  },
  body_too_large: {
    ...refused,
    status: 413,
    title: 'The body is too large',
    advice: 'The body is over the gateway’s limit (`GATEWAY_BODY_LIMIT_BYTES`).',
  },
  record_too_large: {
    ...refused,
    status: 413,
    source: 'broker',
    title: 'The call is too large for the broker',
    advice: 'The encoded call is over what one Kafka record may hold (`KAFKA_MAX_RECORD_BYTES`).',
  },
  uri_too_long: {
    ...refused,
    status: 414,
    title: 'The path is too long',
    advice: 'A segment of the path is longer than any key may be.',
  },
  unsupported_media_type: {
    ...refused,
    status: 415,
    title: 'The body’s media type is not supported',
    advice: 'Send the arguments as `Content-Type: application/json`, a batch as `application/x-ndjson`.',
  },
  method_raised: {
    source: 'method',
    status: 422,
    title: 'The method failed',
    outcome: 'raised',
    retry: 'never',
    advice:
      'The entity’s own code raised an error; `error` carries its name and what was declared for it. Whether changes made ' +
      'before it are undone depends on the runtime: an atomic one undoes them.',
  },
  idempotency_key_reused: {
    ...refused,
    status: 422,
    title: 'The idempotency key was used with other arguments',
    advice: 'A key names one call. Use a new key for a new call. Nothing was sent.',
  },
  rate_limited: {
    ...refused,
    status: 429,
    retry: 'after',
    title: 'Too many calls',
    advice:
      'The caller, or all callers of this entity together, are over their quota (`GATEWAY_RATE_PER_CALLER`, `GATEWAY_RATE_PER_KEY`). ' +
      '`violated-policies` names it, `RateLimit` says what is left of each. Nothing was sent; after `Retry-After` there is a new quota.',
  },
  headers_too_large: {
    ...refused,
    status: 431,
    title: 'The request’s headers are too large',
    advice:
      'The request line and the headers together are over `GATEWAY_MAX_HEADER_BYTES`, or there are more than `GATEWAY_MAX_HEADERS`.',
  },
  internal_error: {
    source: 'gateway',
    status: 500,
    title: 'The gateway failed',
    outcome: 'unknown',
    retry: 'same_key',
    advice: 'A defect of the gateway or of a custom route. The log has the cause under the same request id.',
  },
  unreadable_answer: {
    source: 'runtime',
    status: 502,
    title: 'The runtime’s answer can’t be used',
    outcome: 'unknown',
    retry: 'same_key',
    advice:
      'An answer came, but it can’t be read or is not what the method may return. The method most likely ran. Common causes: ' +
      'the wrong serializer, or metadata older than the running code.',
  },
  not_ready: {
    ...later,
    source: 'gateway',
    title: 'Not ready',
    advice: '`checks` names what is missing. Send traffic to another replica.',
  },
  overloaded: {
    ...later,
    source: 'gateway',
    title: 'Too many calls are waiting',
    advice:
      'As many calls as allowed wait for their answers: in all (`GATEWAY_MAX_PENDING`), of this entity or its type ' +
      '(`GATEWAY_MAX_IN_FLIGHT_PER_KEY`, `GATEWAY_MAX_IN_FLIGHT_PER_ENTITY`), or as the runtime is quick enough for ' +
      '(`GATEWAY_ADAPTIVE`). `detail` says which. This one was not sent.',
  },
  broker_unavailable: {
    ...later,
    source: 'broker',
    title: 'The broker can’t be reached',
    advice: 'The call surely did not reach the log. It is safe to send it again.',
  },
  runtime_unavailable: {
    ...later,
    source: 'runtime',
    title: 'The runtime can’t take calls',
    advice: 'The call was not handed to the runtime. It is safe to send it again.',
  },
  store_unavailable: {
    ...later,
    source: 'gateway',
    title: 'The invocation store can’t be reached',
    advice:
      'Calls with an idempotency key or `Prefer: respond-async` need the store, and it is away. The call was not sent.',
  },
  keys_unavailable: {
    ...later,
    source: 'gateway',
    title: 'Credentials can’t be checked',
    advice: 'The keys of the tokens’ issuer can’t be fetched (`GATEWAY_JWKS_URL`). Nothing was sent.',
  },
  shutting_down: {
    ...later,
    source: 'gateway',
    title: 'The gateway is shutting down',
    advice: 'This replica takes no new calls. Another one will.',
  },
  deadline_exceeded: {
    source: 'runtime',
    status: 504,
    title: 'No answer in time',
    outcome: 'unknown',
    retry: 'same_key',
    advice:
      'The deadline passed without an answer. This does not say that the method did not run: it may have, or may still. ' +
      'Where it turns out that the call was never sent, its invocation says so.',
  },
  connection_lost: {
    source: 'broker',
    status: 504,
    title: 'The broker’s acknowledgement was lost',
    outcome: 'unknown',
    retry: 'same_key',
    advice: 'The connection broke while the call was being written. It may be in the log, and may run.',
  },
  answer_abandoned: {
    source: 'gateway',
    status: 504,
    title: 'The gateway stopped before the answer came',
    outcome: 'unknown',
    retry: 'same_key',
    advice: 'The call was sent, and this replica was shut down before its answer came. It may have run.',
  },
  answer_too_large: {
    source: 'gateway',
    status: 507,
    title: 'The answer is too large to be kept',
    outcome: 'unknown',
    retry: 'never',
    advice:
      'The call was answered, and nobody waited on the spot. Its answer is over what is kept of one ' +
      '(`GATEWAY_MAX_ANSWER_BYTES`), or found no room beside the others (`GATEWAY_MAX_KEPT_BYTES`); `detail` says with which status it ended.',
  },
} as const satisfies Readonly<Record<string, ProblemKind>>

export type ProblemCode = keyof typeof problemKinds
