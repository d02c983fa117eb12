import { type Static, Type } from 'typebox'
import { LONGEST_TIMER_MS } from '../entity-registry/longest-timer.ts'

/** How the gateway meets connections and browsers. */
export const HttpOptions = Type.Object(
  {
    corsOrigins: Type.Array(Type.String({ pattern: '^https?://[^/\\s*]+$', form: 'https://HOST' }), {
      env: 'GATEWAY_CORS_ORIGINS',
      default: [],
      description: 'Other origins whose pages may call, e.g. `https://app.example.org`; exact, no patterns.',
    }),
    hstsSeconds: Type.Integer({
      env: 'GATEWAY_HSTS_SECONDS',
      default: 0,
      minimum: 0,
      description: 'Seconds for which browsers shall use HTTPS only (`Strict-Transport-Security`); 0: not said.',
    }),
    maxHeaderBytes: Type.Integer({
      env: 'GATEWAY_MAX_HEADER_BYTES',
      default: 16_384,
      minimum: 1_024,
      maximum: 1_048_576,
      description: 'Bytes that the request line and the headers may have together; more get 431.',
    }),
    maxHeaders: Type.Integer({
      env: 'GATEWAY_MAX_HEADERS',
      default: 100,
      minimum: 10,
      maximum: 2_000,
      description: 'Headers that a request may have; more get 431.',
    }),
    maxConnections: Type.Integer({
      env: 'GATEWAY_MAX_CONNECTIONS',
      default: 10_000,
      minimum: 1,
      description: 'Connections at once; further ones are closed at once.',
    }),
    headersTimeoutMs: Type.Integer({
      env: 'GATEWAY_HEADERS_TIMEOUT_MS',
      default: 15_000,
      minimum: 100,
      maximum: LONGEST_TIMER_MS,
      description: 'Milliseconds in which a request’s headers must have come; then 408.',
    }),
    bodyTimeoutMs: Type.Integer({
      env: 'GATEWAY_BODY_TIMEOUT_MS',
      default: 30_000,
      minimum: 100,
      maximum: LONGEST_TIMER_MS,
      description:
        'Milliseconds in which a body must have come after its headers; then 408. Batches have their own limit.',
    }),
    keepAliveMs: Type.Integer({
      env: 'GATEWAY_KEEP_ALIVE_MS',
      default: 72_000,
      minimum: 1,
      maximum: 86_400_000,
      description: 'Milliseconds that a connection is kept for its next request; longer than a load balancer’s.',
    }),
    managementPort: Type.Optional(
      Type.Integer({
        env: 'MANAGEMENT_PORT',
        minimum: 0,
        maximum: 65_535,
        description:
          'A port of its own for metrics, the list of entities and the single checks, which then need no credentials and are served there only.',
      }),
    ),
    managementHost: Type.String({
      env: 'MANAGEMENT_HOST',
      default: '127.0.0.1',
      minLength: 1,
      description: 'Address of that port.',
    }),
  },
  { additionalProperties: false },
)

export type HttpOptions = Static<typeof HttpOptions>
