import type { ReplicaShare } from '../runtime-adapters/contract.ts'
import type { Config } from './config.ts'

/**
 * Which replica this is, as `GATEWAY_REPLICA` has it: `0/3`.
 * @throws Error in the operator's words
 */
export function shareOf({ replica }: Pick<Config, 'replica'>): ReplicaShare | undefined {
  if (replica === undefined) return undefined
  const share = readShare(replica)
  if (share !== undefined && share.index < share.count) return share
  throw new Error(`GATEWAY_REPLICA=${replica}: replicas are counted from 0, so two of them are 0/2 and 1/2.`)
}

/** How a replica is called among the living once it reads its own replies: `NAME@0/3`. */
export function nameWithShare(name: string, { index, count }: ReplicaShare): string {
  return `${name}@${index}/${count}`
}

export function readName(text: string): { readonly name: string; readonly share: ReplicaShare | undefined } {
  const [name = '', share] = text.split('@')
  return { name, share: share === undefined ? undefined : readShare(share) }
}

function readShare(text: string): ReplicaShare | undefined {
  const [index, count, ...more] = text.split('/').map(Number)
  if (index === undefined || count === undefined || more.length > 0) return undefined
  return Number.isInteger(index) && count > 0 ? { index, count } : undefined
}
