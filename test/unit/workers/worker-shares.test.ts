import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { replicaName } from '../../../src/gateway/workers/seat-facts.ts'
import { configOfWorker, sharesElsewhere } from '../../../src/gateway/workers/worker-shares.ts'

function configWith(env: Readonly<Record<string, string>>) {
  return readConfig({ env, argv: [] }).config
}

describe('a worker’s share of the replies', () => {
  it('is a part of its container’s, so that all workers of all containers have each one once', () => {
    const shares = ['0/2', '1/2'].flatMap((replica) =>
      [1, 2, 3].map((number) => configOfWorker(configWith({ GATEWAY_REPLICA: replica }), { number, count: 3 }).replica),
    )
    expect(shares).toEqual(['0/6', '1/6', '2/6', '3/6', '4/6', '5/6'])
  })

  it('is one of the workers’ alone where the container is the only one', () => {
    const config = configWith({ KAFKA_REPLY_PARTITIONS: 'own' })
    expect([1, 2].map((number) => configOfWorker(config, { number, count: 2 }).replica)).toEqual(['0/2', '1/2'])
  })

  it('is not spoken of where all read all', () => {
    expect(configOfWorker(configWith({}), { number: 1, count: 2 }).replica).toBeUndefined()
  })

  it('leaves those of other containers to them', () => {
    const config = configWith({ GATEWAY_REPLICA: '1/3' })
    expect(sharesElsewhere(config, { number: 1, count: 2 })).toEqual([0, 1, 4, 5].map((index) => ({ index, count: 6 })))
    expect(sharesElsewhere(configWith({}), { number: 1, count: 2 })).toEqual([])
  })
})

describe('a worker’s name among the replicas', () => {
  const facts = { number: 1, count: 2, container: 'abcd', before: 0 }

  it('begins as those of all workers of its container, and is another for each that was started', () => {
    expect([0, 1, 255, 256].map((before) => replicaName({ ...facts, before }))).toEqual([
      'abcd00',
      'abcd01',
      'abcdff',
      'abcd00',
    ])
  })

  it('is its own choice where the store is shared by all replicas', () => {
    expect(replicaName({ ...facts, container: undefined })).toBeUndefined()
  })
})
