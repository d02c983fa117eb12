import type { FastifyRequest } from 'fastify'
import type { AccessRule } from '../entity-registry/access-rule.ts'
import type { Target } from '../runtime-adapters/contract.ts'
import type { Operation } from './binding.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a generated route does; custom routes have none. */
    operation?: Operation
  }
}

/** What a request asks for, read and checked. */
export interface Asked {
  readonly target: Target
  readonly args: Readonly<Record<string, unknown>>
}

/**
 * Whether this caller may do this with this entity; asked before anything is sent.
 * @throws ProblemError `unauthenticated` or `forbidden`
 */
export type Authorize = (request: FastifyRequest, asked: Asked) => void

/**
 * Whether this call may be made now; asked after `Authorize`, once a call.
 * @returns headers for its answer, whatever that will be
 * @throws ProblemError `rate_limited`
 */
export type Admit = (request: FastifyRequest, asked: Asked) => Headers | Promise<Headers>

type Headers = Readonly<Record<string, string>>

/** The rules that all must be met. A state is for who may read each of its attributes. */
export function rulesOf(asked: Operation | Target): readonly AccessRule[] {
  const { entity } = asked
  switch (asked.kind) {
    case 'create':
      return [entity.access.create]
    case 'find':
      return [entity.access.read]
    case 'read-state':
      return [
        entity.access.read,
        ...[...entity.attributes.values()].filter(({ readable }) => readable).map(({ access }) => access.read),
      ]
    case 'read-attribute':
      return [asked.attribute.access.read]
    case 'write-attribute':
      return [asked.attribute.access.write]
    case 'call':
      return [asked.method.access]
  }
}
