import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../helpers/gateway-process.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { callerOf, describeShopTranscript, expectProblem } from '../helpers/shop-transcript.ts'
import {
  type Functions,
  pythonUnavailable,
  startPythonFunctions,
  startTypescriptFunctions,
} from '../helpers/statefun-functions.ts'
import { unique } from '../helpers/unique.ts'
import { until } from '../helpers/until.ts'

/** The examples as their READMEs start them: functions, the gateway, nothing else. */

describeExample('TypeScript', 'examples/statefun-typescript', startTypescriptFunctions)

const reason = pythonUnavailable()
describe.skipIf(reason !== undefined)(`in Python${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  describeExample('Python', 'examples/statefun-python', startPythonFunctions)
})

it('describes both examples by the same metadata and the same module', () => {
  for (const file of ['metadata.json', 'module.yaml']) {
    const [typescript, python] = ['typescript', 'python'].map((language) =>
      readFileSync(join(root, `examples/statefun-${language}`, file), 'utf8'),
    )
    expect(python).toBe(typescript)
  }
})

function describeExample(
  language: string,
  folder: string,
  startFunctions: (replyTopic: string) => Promise<Functions>,
): void {
  describe(`StateFun's functions in ${language}, without a cluster`, () => {
    let functions: Functions
    let gateway: RunningGateway
    beforeAll(async () => {
      functions = await startFunctions('shop-replies')
      gateway = await startGateway({
        GATEWAY_RUNTIME: 'statefun-endpoint',
        GATEWAY_METADATA: join(folder, 'metadata.json'),
        STATEFUN_ENDPOINTS: functions.url,
      })
    }, 300_000)
    afterAll(async () => {
      await gateway?.close()
      await functions?.close()
    })
    const call: ReturnType<typeof callerOf> = (...request) => callerOf(gateway.url)(...request)

    describeShopTranscript(language, () => gateway.url)

    it('answers 422 with the error that the function names', async () => {
      await call('POST', '/user', { username: 'nobody-shops' })
      const answer = await call('POST', '/user/nobody-shops/state_requests', { items: [] })
      expectProblem(answer, 422, 'method_raised', 'raised')
      expect(answer.body).toMatchObject({ detail: expect.stringContaining('At least one item') })
    })

    it('puts a reservation back when its time is over, unless it was collected', async () => {
      await call('POST', '/item', { item_name: 'lamp', price: 3 })
      await call('POST', '/item/lamp/set_stock', { amount: 5 })
      const { body: reservation } = await call('POST', '/item/lamp/reserve', { amount: 1, seconds: 3_600 })
      expect((await call('GET', '/item/lamp')).body).toMatchObject({
        stock: 4,
        reservations: { [`${reservation}`]: 1 },
      })
      expect((await call('POST', '/item/lamp/collect', { reservation })).body).toBe(true)
      expect((await call('POST', '/item/lamp/collect', { reservation })).body).toBe(false)
      expect((await call('POST', '/item/lamp/reserve', { amount: 2, seconds: 0.2 })).status).toBe(200)
      await until('the reservation expires', async () => (await call('GET', '/item/lamp/stock')).body === 4)
      expect((await call('GET', '/item/lamp')).body).toMatchObject({ stock: 4, reservations: {} })
    })

    it('gives back the pieces when the money is gone before the bill comes', async () => {
      const [pen, buyer] = [unique('pen'), unique('many-hands')]
      await call('POST', '/item', { item_name: pen, price: 1 })
      await call('POST', `/item/${pen}/set_stock`, { amount: 10 })
      await call('POST', '/user', { username: buyer })
      await call('POST', `/user/${buyer}/update_balance`, { x: 2 })
      const purchases = Array.from({ length: 10 }, () =>
        call('POST', `/user/${buyer}/buy_item`, { amount: 1, item: pen }),
      )
      const sold = (await Promise.all(purchases)).filter(({ body }) => body === true).length
      expect(sold).toBe(3)
      expect((await call('POST', `/user/${buyer}/get_balance`)).body).toBe(0)
      await until('what was not paid is back', async () => (await call('GET', `/item/${pen}/stock`)).body === 7)
    })
  })
}
