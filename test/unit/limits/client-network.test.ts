import { expect, it } from 'vitest'
import { clientNetwork } from '../../../src/gateway/limits/client-network.ts'

it('is the network of an IPv6 address, and the address of IPv4', () => {
  expect(clientNetwork('192.0.2.7')).toBe('192.0.2.7')
  expect(clientNetwork('::ffff:192.0.2.7')).toBe('192.0.2.7')
  for (const address of [
    '2001:db8:0:1::',
    '2001:db8:0:1::9',
    '2001:0db8:0000:0001:1:2:3:4',
    '2001:db8:0:1:ffff::%eth0',
  ]) {
    expect(clientNetwork(address), address).toBe('2001:db8:0:1')
  }
  expect(clientNetwork('2001:db8::1')).toBe('2001:db8:0:0')
  expect(clientNetwork('::1')).toBe('0:0:0:0')
  expect(clientNetwork('fe80::1:2:3:4:5')).not.toBe(clientNetwork('fe80::2:2:3:4:5'))
  expect(clientNetwork(undefined)).toBe('')
})
