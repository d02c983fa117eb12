import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { callerOf, describeShopTranscript, digitsBack } from '../helpers/shop-transcript.ts'
import { unique } from '../helpers/unique.ts'

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway({})
})
afterAll(() => gateway.close())

describeShopTranscript('the embedded runtime', () => gateway.url)

describe('the shop on the embedded runtime, beyond the seed’s demo', () => {
  it('keeps 64-bit integers to the last digit', async () => {
    const call = callerOf(gateway.url)
    const username = unique('digits')
    await call('POST', '/user', { username })
    const points = {
      write: `/user/${username}/add_points`,
      body: '{"points":9007199254740993}',
      read: `/user/${username}/points`,
    }
    expect(await digitsBack(gateway.url, points)).toBe('9007199254740993')
  })
})
