import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AccessRule } from '../../entity-registry/access-rule.ts'
import type { AttributeDescriptor, EntityDescriptor, MethodDescriptor } from '../../entity-registry/descriptor.ts'
import type { IsShown } from '../../entity-registry/registry.ts'
import type { Operation } from '../../routes/binding.ts'
import { type Authorize, rulesOf } from '../../routes/operation-rules.ts'
import { ProblemError } from '../../routes/problem.ts'
import { subjectOf } from '../../routes/target.ts'
import type { Target } from '../../runtime-adapters/contract.ts'
import type { AccessOptions } from './access-options.ts'
import type { Authentication, Scheme } from './authentication.ts'
import { type Caller, nobody } from './caller.ts'
import { challenged } from './challenge.ts'
import { checkCaller, checkOwner, isAdmitted, type Need, needOf } from './need.ts'
import { createRouteNeed, type RouteNeed } from './route-need.ts'

/** Where `caller` is kept: nobody else can write it. */
const CALLER = Symbol('caller')

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; of kind `nobody` where nobody has shown who he is. */
    readonly caller: Caller
    [CALLER]: Caller | undefined
  }
}

/** Who may call, decided for one gateway. */
export interface Access {
  /** Empty: no way to authenticate is configured. */
  readonly schemes: readonly Scheme[]
  readonly needOf: RouteNeed
  /** `undefined`: everybody may do everything. */
  readonly authorize: Authorize | undefined
  /**
   * Looks again at what the caller has shown: a batch may outlast it, and callers' keys are exchanged while it is open.
   * @throws ProblemError, also by its promise, when it is not good any more
   */
  readonly renew: ((request: FastifyRequest) => Promise<void> | undefined) | undefined
  /** @throws ProblemError when no key could make this the caller's to do */
  readonly admit: (request: FastifyRequest, operation: Operation) => void
  readonly shownTo: (request: FastifyRequest) => IsShown
  /** @throws ProblemError when this caller may not see how the gateway is run */
  readonly checkManagement: (request: FastifyRequest) => void
}

export interface AccessSetup {
  readonly access: AccessOptions
  /** `undefined`: no way is configured. Outlives the routes: what it has fetched and verified is not lost when they are made anew. */
  readonly authentication: Authentication | undefined
  /** false: only the routes and their document are wanted, and nobody will call. */
  readonly isServing: boolean
}

/** Everybody may do everything. */
const free: Omit<Access, 'needOf'> = {
  ...{ schemes: [], authorize: undefined, renew: undefined },
  ...{ admit: () => {}, shownTo: () => () => true, checkManagement: () => {} },
}

/**
 * Before any route: each gets the check that it needs, and those that everybody may call without credentials get none.
 * @throws Error when rules ask for callers that nobody can show to be
 */
export function registerAccess(app: FastifyInstance, setup: AccessSetup): Access {
  const { access, authentication, isServing } = setup
  const needOfRoute = createRouteNeed(access)
  if (authentication === undefined) {
    app.decorateRequest('caller', { getter: () => nobody })
    if (isServing) refuseRules(app, { access, needOfRoute })
    return { ...free, needOf: needOfRoute }
  }
  app.decorateRequest(CALLER, undefined)
  app.decorateRequest('caller', {
    getter() {
      return this[CALLER] ?? nobody
    },
  })
  const { schemes, callerOf } = authentication

  /** A hook that asks who calls, and whether he may. It waits only where a token has to be verified. */
  function hookFor(need: Need) {
    const scopes = need.kind === 'caller' ? need.scopes : []
    const refusal = (error: unknown) =>
      error instanceof ProblemError
        ? challenged(error, schemes, scopes)
        : Error('authentication failed', { cause: error })
    return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
      try {
        const caller = callerOf(request)
        if (caller !== nobody || need.kind !== 'anyone') reply.header('cache-control', 'private, no-cache')
        if (!(caller instanceof Promise)) {
          take(request, need, caller)
          done()
          return
        }
        caller
          .then((verified) => take(request, need, verified))
          .then(
            () => done(),
            (error) => done(refusal(error)),
          )
      } catch (error) {
        done(refusal(error))
      }
    }
  }

  app.addHook('onRoute', (route) => {
    const existing = route.onRequest === undefined ? [] : [route.onRequest].flat()
    route.onRequest = [hookFor(needOfRoute(route)), ...existing]
  })
  const unknownRoute = hookFor(needOf([{ kind: 'default' }], access.mode === 'deny' ? 'authenticated' : access.mode))
  // What is not there is no secret to those who may call; to others it says nothing.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) unknownRoute(request, reply, done)
    else done()
  })

  return {
    schemes,
    needOf: needOfRoute,
    authorize: createAuthorize(access, schemes),
    renew: createRenew(authentication),
    admit({ caller }, operation) {
      const need = needOf(rulesOf(operation), access.mode)
      withChallenge(schemes, need, () => checkCaller(need, caller))
    },
    shownTo:
      ({ caller }) =>
      (entity, member) =>
        rulesOfPart(entity, member).some((rule) => isAdmitted(needOf([rule], access.mode), caller)),
    checkManagement({ caller }) {
      if (access.mode === 'open') return
      const need: Need = { kind: 'caller', scopes: [access.managementScope], owners: [] }
      withChallenge(schemes, need, () => checkCaller(need, caller))
    },
  }
}

function note(request: FastifyRequest, caller: Caller): void {
  if (caller !== nobody) request[CALLER] = caller
}

function take(request: FastifyRequest, need: Need, caller: Caller): void {
  note(request, caller)
  checkCaller(need, caller)
}

function createRenew({ callerOf }: Authentication): NonNullable<Access['renew']> {
  return (request) => {
    const caller = callerOf(request)
    if (caller instanceof Promise) return caller.then((verified) => note(request, verified))
    note(request, caller)
    return undefined
  }
}

function refuseRules(
  app: FastifyInstance,
  { access, needOfRoute }: { access: AccessOptions; needOfRoute: RouteNeed },
): void {
  const ways = 'configure GATEWAY_JWKS_URL, GATEWAY_JWKS_FILE, GATEWAY_API_KEYS or GATEWAY_PROXY_IDENTITY_HEADER'
  if (access.mode !== 'open') throw new Error(`GATEWAY_ACCESS=${access.mode} lets nobody in: ${ways}.`)
  app.addHook('onRoute', (route) => {
    if (needOfRoute(route).kind === 'anyone') return
    throw new Error(
      `${String(route.method)} ${route.url} is for certain callers, and nobody can show who he is: ${ways}.`,
    )
  })
}

/** Of one member, or of an entity with all of them. */
function rulesOfPart(
  { access, attributes, methods }: EntityDescriptor,
  member?: MethodDescriptor | AttributeDescriptor,
): readonly AccessRule[] {
  const members = member === undefined ? [...methods.values(), ...attributes.values()] : [member]
  const ofMembers = members.flatMap((each) =>
    'kind' in each.access ? [each.access] : [each.access.read, each.access.write],
  )
  return member === undefined ? [access.create, access.read, ...ofMembers] : ofMembers
}

function createAuthorize({ mode }: AccessOptions, schemes: readonly Scheme[]): Authorize {
  const known = new Map<Target['kind'], WeakMap<object, Need>>()
  function needOfTarget(target: Target): Need {
    const subject = subjectOf(target)
    const found = known.get(target.kind)?.get(subject)
    if (found !== undefined) return found
    const need = needOf(rulesOf(target), mode)
    known.set(target.kind, (known.get(target.kind) ?? new WeakMap<object, Need>()).set(subject, need))
    return need
  }
  return ({ caller }, { target, args }) => {
    // A request may outlast the token that came with it: a batch is as long as it is.
    if (Date.now() >= (caller.expiresAtMs ?? Number.POSITIVE_INFINITY)) {
      throw challenged(new ProblemError('invalid_credentials', { detail: 'The token has expired.' }), schemes, [])
    }
    const need = needOfTarget(target)
    if (need.kind === 'anyone') return
    withChallenge(schemes, need, () => {
      checkCaller(need, caller)
      checkOwner(need, caller, target.kind === 'create' ? args[target.entity.create?.keyParam ?? ''] : target.key)
    })
  }
}

function withChallenge(schemes: readonly Scheme[], need: Need, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    throw challenged(error, schemes, need.kind === 'caller' ? need.scopes : [])
  }
}
