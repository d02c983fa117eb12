import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type CounterFunction, counterMetadata, startCounterFunction } from '../../helpers/counter-function.ts'
import { type RunningGateway, startGateway } from '../../helpers/running-gateway.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'

const folder = createTemporaryFolder()
let counter: CounterFunction
let gateway: RunningGateway
beforeAll(async () => {
  counter = await startCounterFunction()
  const metadata = folder.write('counter.json', counterMetadata(counter.url))
  gateway = await startGateway({ GATEWAY_METADATA: metadata, GATEWAY_RUNTIME: 'statefun-endpoint' })
})
afterEach(() => counter.release())
afterAll(async () => {
  await gateway?.close()
  await counter?.close()
  folder.close()
})

describe('a deadline of a custom route’s own', () => {
  it.each([2 ** 31 - 1, 2 ** 31, Number.MAX_VALUE, Number.POSITIVE_INFINITY])(
    'is not over at once, however late it is: %d',
    async (deadlineMs) => {
      counter.hold()
      const answered = gateway.entity('Counter', 'a').call('look', {}, { deadlineMs })
      setTimeout(() => counter.release(), 50)
      expect(await answered).toBe(0)
    },
  )

  it('that is no number is a defect of the route, and nothing is sent', async () => {
    const call = gateway.entity('Counter', 'b').call('add', {}, { deadlineMs: Number.NaN })
    await expect(call).rejects.toThrow(TypeError)
    expect(await gateway.entity('Counter', 'b').call('look')).toBe(0)
  })

  it.each([0, -1])('that has passed already is refused, surely unsent: %d', async (deadlineMs) => {
    const call = gateway.entity('Counter', 'c').call('add', {}, { deadlineMs })
    await expect(call).rejects.toMatchObject({ code: 'overloaded' })
    expect(await gateway.entity('Counter', 'c').call('look')).toBe(0)
  })
})
