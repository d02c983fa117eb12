import { type Static, Type } from 'typebox'

/** Asymmetric ones only: a key that callers may know can never sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

const JwtOptions = Type.Object(
  {
    jwksUrl: Type.Optional(
      Type.String({
        env: 'GATEWAY_JWKS_URL',
        pattern: '^https?://',
        description: 'Where the issuer publishes its keys. With it, or with a file, bearer tokens (JWT) are taken.',
      }),
    ),
    jwksFile: Type.Optional(
      Type.String({
        env: 'GATEWAY_JWKS_FILE',
        minLength: 1,
        description: 'The issuer’s keys as a file, read at start and at each reload.',
      }),
    ),
    issuer: Type.Optional(
      Type.String({
        env: 'GATEWAY_JWT_ISSUER',
        pattern: '^[^|\\s]+$',
        description: 'Must equal a token’s `iss`; needed with the keys.',
      }),
    ),
    audience: Type.Array(Type.String({ minLength: 1 }), {
      env: 'GATEWAY_JWT_AUDIENCE',
      default: [],
      description: 'One of them must be in a token’s `aud`; needed with the keys.',
    }),
    algorithms: Type.Array(Type.Enum([...algorithms]), {
      env: 'GATEWAY_JWT_ALGORITHMS',
      default: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      minItems: 1,
      description: `Signatures that are taken, of ${algorithms.join(', ')}. Shared secrets and \`none\` never are.`,
    }),
    type: Type.Optional(
      Type.String({
        env: 'GATEWAY_JWT_TYPE',
        minLength: 1,
        description: 'Must equal a token’s `typ`, e.g. `at+jwt`; left out, it is not looked at.',
      }),
    ),
    clockSkewMs: Type.Integer({
      env: 'GATEWAY_JWT_CLOCK_SKEW_MS',
      default: 30_000,
      minimum: 0,
      maximum: 600_000,
      description: 'Milliseconds by which the issuer’s clock may differ.',
    }),
    principalClaim: Type.String({
      env: 'GATEWAY_JWT_PRINCIPAL_CLAIM',
      default: 'sub',
      minLength: 1,
      description: 'The claim that says who calls. Entities with `owner: true` belong to whom it names.',
    }),
    scopesClaim: Type.String({
      env: 'GATEWAY_JWT_SCOPES_CLAIM',
      default: 'scope',
      minLength: 1,
      description: 'The claim that says what he may: text separated by spaces, or a list.',
    }),
    jwksTimeoutMs: Type.Integer({
      env: 'GATEWAY_JWKS_TIMEOUT_MS',
      default: 5_000,
      minimum: 1,
      maximum: 60_000,
      description: 'Milliseconds that fetching the keys may take.',
    }),
    jwksCooldownMs: Type.Integer({
      env: 'GATEWAY_JWKS_COOLDOWN_MS',
      default: 10_000,
      minimum: 1,
      description: 'Milliseconds between two fetches, whatever unknown keys tokens name.',
    }),
    jwksMaxAgeMs: Type.Integer({
      env: 'GATEWAY_JWKS_MAX_AGE_MS',
      default: 600_000,
      minimum: 1,
      description: 'Milliseconds after which keys are fetched anew, and a token’s signature is checked anew.',
    }),
  },
  { additionalProperties: false },
)

const ProxyOptions = Type.Object(
  {
    identityHeader: Type.Optional(
      Type.String({
        env: 'GATEWAY_PROXY_IDENTITY_HEADER',
        pattern: "^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$",
        description: 'Header by which a proxy says whom it has authenticated, e.g. by mTLS.',
      }),
    ),
    scopesHeader: Type.Optional(
      Type.String({
        env: 'GATEWAY_PROXY_SCOPES_HEADER',
        pattern: "^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$",
        description: 'Header by which it says what he may, separated by spaces.',
      }),
    ),
    trusted: Type.Array(Type.String({ minLength: 1 }), {
      env: 'GATEWAY_TRUSTED_PROXIES',
      default: [],
      description:
        'Addresses and networks (`10.0.0.0/8`) whose word on that is taken. From others it is not looked at.',
    }),
  },
  { additionalProperties: false },
)

/** Who may call. */
export const AccessOptions = Type.Object(
  {
    mode: Type.Enum(['open', 'authenticated', 'deny'], {
      env: 'GATEWAY_ACCESS',
      default: 'open',
      description:
        'Who may call where no rule says so: everybody, who is authenticated, or nobody. Rules stand in the overrides file.',
    }),
    managementScope: Type.String({
      env: 'GATEWAY_MANAGEMENT_SCOPE',
      default: 'gateway:manage',
      pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$',
      description:
        'What a caller needs for metrics, the list of entities and the single checks, unless the mode is open.',
    }),
    apiKeys: Type.Optional(
      Type.String({
        env: 'GATEWAY_API_KEYS',
        secret: true,
        ownFile: true,
        description: 'API keys as `ID:SHA256:SCOPES`, one a line or separated by commas; `new-api-key` makes them.',
      }),
    ),
    apiKeysFile: Type.Optional(
      Type.String({
        env: 'GATEWAY_API_KEYS_FILE',
        minLength: 1,
        description: 'The same as a file, read at start and at each reload.',
      }),
    ),
    jwt: JwtOptions,
    proxy: ProxyOptions,
  },
  { additionalProperties: false },
)

export type AccessOptions = Static<typeof AccessOptions>
export type JwtOptions = Static<typeof JwtOptions>
export type ProxyOptions = Static<typeof ProxyOptions>
