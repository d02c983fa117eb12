import { expect, it } from 'vitest'
import { addCall, createKeyCounts, removeCall } from '../../../src/gateway/limits/key-counts.ts'

it('remembers no key that has no calls under way', () => {
  const calls = createKeyCounts()('Account')
  for (const key of ['a', 'a', 42, undefined]) addCall(calls, key)
  expect([calls.all, calls.byKey.get('a'), calls.byKey.get(42)]).toEqual([4, 2, 1])
  for (const key of ['a', 42, undefined]) removeCall(calls, key)
  expect([calls.all, [...calls.byKey]]).toEqual([1, [['a', 1]]])
  removeCall(calls, 'a')
  expect([calls.all, calls.byKey.size]).toEqual([0, 0])
})
