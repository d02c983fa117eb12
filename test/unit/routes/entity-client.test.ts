import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it, vi } from 'vitest'
import { createEntityClient } from '../../../src/routes/entity-client.ts'
import { registry } from '../../simulation/entity.ts'

it('a custom route’s key is checked without compiling its check anew', () => {
  const [entity] = registry.entities
  const client = createEntityClient({
    registry,
    capabilitiesOf: () => expect.unreachable(),
    invoke: () => expect.unreachable(),
    newId: () => expect.unreachable(),
    defaultDeadlineMs: 1_000,
  })
  const compile = vi.spyOn(Ajv2020.prototype, 'compile')
  for (let asked = 0; asked < 100; asked++) client.entity(entity?.name ?? '', 'k')
  expect(() => client.entity(entity?.name ?? '', Number.NaN)).toThrow(`This is not a key of ${entity?.name}.`)
  expect(compile).toHaveBeenCalledOnce()
})
