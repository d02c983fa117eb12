import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import type { Capabilities, HealthCheck } from '../runtime-adapters/contract.ts'
import { bindingsOf } from './binding.ts'
import { ProblemError } from './problem.ts'
import { type ProblemCode, type ProblemKind, problemKinds } from './problem-codes.ts'
import { problemResponses } from './problem-responses.ts'

export interface SystemRoutesOptions {
  readonly entities: readonly EntityDescriptor[]
  readonly capabilitiesOf: (entity: EntityDescriptor) => Capabilities
  /** Every check of every runtime instance; answers within two seconds. */
  readonly checks: () => Promise<readonly HealthCheck[]>
  /** @throws ProblemError when this caller may not see the single checks */
  readonly checkManagement?: (request: FastifyRequest) => void
  /** false: how the gateway is run is not shown here; `verbose` says no more than no `verbose`. */
  readonly isManaged?: boolean
}

const TAG = 'gateway'
const ok = {
  description: 'Yes.',
  type: 'object',
  properties: { status: { type: 'string' } },
  required: ['status'],
} as const
/** What any request can be answered with, whatever it asks for. */
const unreadable = problemResponses(['bad_request', 'headers_too_large'])
const checkList = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      ok: { type: 'boolean' },
      essential: { type: 'boolean', description: 'false: most calls work without it.' },
      detail: { type: 'string' },
    },
    required: ['name', 'ok', 'detail'],
  },
} as const

const word = { type: 'string' } as const
const problemRow = {
  type: 'object',
  properties: {
    code: word,
    status: { type: 'integer' },
    title: word,
    advice: word,
    source: word,
    outcome: word,
    retry: word,
  },
  required: ['code', 'status', 'title', 'advice', 'source', 'outcome', 'retry'],
} as const

/** What the gateway says of itself, all under `/-/`. */
export function registerSystemRoutes(app: FastifyInstance, options: SystemRoutesOptions): void {
  registerHealth(app, options)
  if (options.isManaged !== false) registerEntityList(app, options)
  registerProblemPages(app)
}

function registerHealth(app: FastifyInstance, options: SystemRoutesOptions): void {
  const { checks, checkManagement, isManaged = true } = options
  app.get('/-/livez', {
    schema: {
      operationId: 'livez',
      tags: [TAG],
      summary: 'Is the process alive?',
      response: { 200: ok, ...unreadable },
    },
    handler: () => ({ status: 'alive' }),
  })
  app.get<{ Querystring: { verbose?: string } }>('/-/readyz', {
    schema: {
      operationId: 'readyz',
      tags: [TAG],
      summary: 'Can calls be answered?',
      querystring: {
        type: 'object',
        properties: { verbose: { type: 'string', description: 'Given, with any value or none: name each check.' } },
      },
      response: {
        200: { ...ok, properties: { ...ok.properties, checks: checkList } },
        ...problemResponses(['not_ready', 'bad_request', 'headers_too_large']),
      },
    },
    handler: async (request) => {
      const isVerbose = isManaged && request.query.verbose !== undefined
      if (isVerbose) checkManagement?.(request)
      const mayKnow = isManaged && (isVerbose || isAllowed(() => checkManagement?.(request)))
      return readiness(await checks(), { isVerbose, mayKnow })
    },
  })
}

/** @throws ProblemError `not_ready` */
function readiness(
  results: readonly HealthCheck[],
  { isVerbose, mayKnow }: { readonly isVerbose: boolean; readonly mayKnow: boolean },
): object {
  const checks = isVerbose ? { checks: results } : {}
  const failing = results.filter(({ ok, essential = true }) => !ok && essential)
  if (failing.length === 0) return { status: results.every(({ ok }) => ok) ? 'ready' : 'degraded', ...checks }
  const named = failing.map(({ name, detail }) => `${name}: ${detail}`).join(' ')
  throw new ProblemError('not_ready', {
    detail: mayKnow ? named : 'Something that calls need is not there.',
    ...checks,
  })
}

/** What fails names brokers and topics. */
function isAllowed(check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (error instanceof ProblemError) return false
    throw error
  }
}

function registerEntityList(app: FastifyInstance, { entities, capabilitiesOf }: SystemRoutesOptions): void {
  const list = entities.map((entity) => ({
    name: entity.name,
    application: entity.application,
    runtime: entity.runtimeName,
    key: { name: entity.key.name, type: entity.key.type },
    capabilities: capabilitiesOf(entity),
    routes: bindingsOf(entity, capabilitiesOf(entity)).map(
      ({ verb, url }) => `${verb} ${url.replace(':key', '{key}')}`,
    ),
    hidden: entity.hidden,
  }))
  app.get('/-/entities', {
    schema: {
      operationId: 'list_entities',
      tags: [TAG],
      summary: 'What is exposed, and why something is not',
      response: {
        200: {
          type: 'object',
          properties: { entities: { type: 'array', items: { type: 'object', additionalProperties: true } } },
          description: 'Each entity with its routes and its hidden members.',
        },
        ...unreadable,
      },
    },
    handler: () => ({ entities: list }),
  })
}

function registerProblemPages(app: FastifyInstance): void {
  app.get<{ Params: { code: string } }>('/-/problems/:code', {
    schema: {
      operationId: 'explain_problem',
      tags: [TAG],
      summary: 'What a problem means and what to do',
      params: {
        type: 'object',
        properties: { code: { type: 'string', enum: Object.keys(problemKinds) } },
        required: ['code'],
      },
      response: {
        200: {
          description: 'Its row of the table of problems, as a page for who prefers HTML.',
          content: { 'application/json': { schema: problemRow }, 'text/html': { schema: { type: 'string' } } },
        },
        ...problemResponses(['route_not_found', 'bad_request', 'headers_too_large']),
      },
    },
    // An unknown code is a page that does not exist, not a bad parameter.
    validatorCompiler: () => () => true,
    handler: ({ params: { code }, headers }, reply) => {
      reply.header('vary', 'Accept')
      const kind = Object.hasOwn(problemKinds, code) ? problemKinds[code as ProblemCode] : undefined
      if (kind === undefined) throw new ProblemError('route_not_found', { detail: `There is no problem "${code}".` })
      if (headers.accept?.includes('text/html') !== true) return { code, ...kind }
      return reply.type('text/html; charset=utf-8').send(problemPage(code, kind))
    },
  })
}

/** The table is ours and holds no markup but backquotes, so nothing needs escaping. */
function problemPage(code: string, { status, title, advice, outcome, retry, source }: ProblemKind): string {
  const prose = advice.replaceAll(/`([^`]+)`/g, '<code>$1</code>')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${code}</title>
<body style="font-family:system-ui;max-width:40rem;margin:3rem auto;line-height:1.5">
<h1>${title}</h1><p>${prose}</p>
<dl><dt>code</dt><dd><code>${code}</code></dd><dt>status</dt><dd>${status}</dd><dt>source</dt><dd>${source}</dd>
<dt>outcome</dt><dd><code>${outcome}</code></dd><dt>retry</dt><dd><code>${retry}</code></dd></dl></body></html>`
}
