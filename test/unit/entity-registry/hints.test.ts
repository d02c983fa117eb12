import { expect, it } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import { createHints } from '../../../src/entity-registry/hints.ts'
import { noOverrides } from '../../../src/entity-registry/overrides.ts'

it('hints say once what may not be meant, with its first place', () => {
  const param = (name: string, format: string) => ({ name, schema: { type: 'string', format } })
  const params = [param('to', 'emial'), param('from', 'emial'), param('at', 'date-time'), param('number', 'uint16')]
  const key = { name: 'id', schema: { type: 'string' } }
  const entities = [{ name: 'Letter', key, methods: [{ name: 'send', params }] }]
  const hints = createHints()
  compileEntities(
    [{ file: 'a.json', document: { formatVersion: 1, application: 'a', entities } }],
    noOverrides,
    hints.note,
  )
  const at = 'a.json#/entities/0/methods/0/params'
  expect(hints.said).toEqual([
    `${at}/0/schema/format: the format "emial" is not one this gateway checks. Did you mean "email"?`,
    expect.stringContaining(`${at}/3/schema/format: the format "uint16" is not one this gateway checks.`),
  ])
})
