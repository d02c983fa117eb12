import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Admit, Asked } from '../../routes/operation-rules.ts'
import { ProblemError } from '../../routes/problem.ts'
import { clientNetwork } from './client-network.ts'
import { keyOf } from './key-counts.ts'
import type { Quota } from './quota.ts'
import { isOver, rateFields, type Standing, secondsLeft } from './rate-fields.ts'
import type { RateStore } from './rate-store.ts'

export interface RateLimitsOptions {
  readonly perCaller: Quota | undefined
  readonly perKey: Quota | undefined
  readonly store: RateStore
  readonly onRefused: (policy: Quota['policy']) => void
}

/** Characters of base64 that stand for 12 bytes: too many to guess, too few to be a nuisance in each answer. */
const PARTITION_LENGTH = 16

/** The quotas of callers and entities; there is one at least. */
export function createRateLimits(options: RateLimitsOptions): Admit {
  const { perCaller, perKey, store, onRefused } = options

  /** The caller first: what is over his own quota takes nothing from the entity's. */
  function* subjectsOf(request: FastifyRequest, asked: Asked): Generator<readonly [Quota, string]> {
    if (perCaller !== undefined) yield [perCaller, callerOf(request)]
    const key = perKey === undefined ? undefined : keyOf(asked)
    if (perKey !== undefined && key !== undefined) yield [perKey, `${asked.target.entity.name}\0${String(key)}`]
  }

  async function standingOf(quota: Quota, subject: string): Promise<Standing> {
    const partition = hash('sha256', `${quota.policy}\0${subject}`, 'base64').slice(0, PARTITION_LENGTH)
    return { quota, partition, count: await store.count(`${quota.policy}:${partition}`, quota) }
  }

  return async (request, asked) => {
    const standings: Standing[] = []
    for (const [quota, subject] of subjectsOf(request, asked)) {
      const standing = await standingOf(quota, subject)
      standings.push(standing)
      if (!isOver(standing)) continue
      onRefused(quota.policy)
      throw refusal(standing, rateFields(standings))
    }
    return rateFields(standings)
  }
}

/** Who has not said who he is shares a quota with his address. */
function callerOf({ caller: { principal }, raw }: FastifyRequest): string {
  return principal === '' ? `address ${clientNetwork(raw.socket.remoteAddress)}` : `principal ${principal}`
}

function refusal(standing: Standing, fields: Readonly<Record<string, string>>): ProblemError {
  const { policy, calls, windowSeconds } = standing.quota
  const seconds = secondsLeft(standing)
  const whose = policy === 'caller' ? 'This caller' : 'This entity'
  return new ProblemError('rate_limited', {
    detail: `${whose} has a quota of ${calls} calls in ${windowSeconds} s, and it is used up. In ${seconds} s there is a new one.`,
    violatedPolicies: [policy],
    headers: { ...fields, 'retry-after': String(seconds) },
  })
}
