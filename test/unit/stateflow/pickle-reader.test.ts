import { describe, expect, it } from 'vitest'
import { readPickle } from '../../../src/runtime-adapters/stateflow/pickle-reader.ts'
import { toPlain } from '../../../src/runtime-adapters/stateflow/plain-value.ts'
import { PythonEnumMember } from '../../../src/runtime-adapters/stateflow/python-objects.ts'

/** `pickle.dumps(VALUE, PROTOCOL)` of CPython 3.11, in hexadecimal. */
const plain = (hex: string) => toPlain(readPickle(Buffer.from(hex.replaceAll(' ', ''), 'hex')))
const text = (value: string) => `8c${Buffer.of(value.length).toString('hex')}${Buffer.from(value).toString('hex')}`

/** An `InternalClassRef`, which memoizes nothing. */
function referenceTo(key: string): string {
  const object = (module: string, name: string, state: string) =>
    `${text(`stateflow.dataflow.${module}`)}${text(name)}932981${state}62`
  const size = Buffer.alloc(4)
  size.writeUInt32LE(key.length)
  const address = object(
    'address',
    'FunctionAddress',
    `7d${text('key')}58${size.toString('hex')}${Buffer.from(key).toString('hex')}73`,
  )
  return object('event_flow', 'InternalClassRef', `7d${text('_fun_addr')}${address}73`)
}

describe('values of Python', () => {
  it.each([
    ['None', '80044e2e', null],
    ['True', '8004882e', true],
    ['-1', '80044affffffff2e', -1],
    ['65535', '80044dffff2e', 65_535],
    ['2**53', '8004950a000000000000008a07000000000000202e', 2n ** 53n],
    ['2**53 - 1', '8004950a000000000000008a07ffffffffffff1f2e', 2 ** 53 - 1],
    ['-(2**63)', '8004950b000000000000008a0800000000000000802e', -(2n ** 63n)],
    ['2**63', '8004950c000000000000008a090000000000000080002e', 2n ** 63n],
    ['an int of no bytes', '80028a002e', 0],
    ['5.0', '8004950a0000000000000047401400000000000 02e', 5],
    ['a tuple of four', '8004284b014b024b034b0474942e', [1, 2, 3, 4]],
    ['nested tuples and lists', '80044b015d944b0261864b038694 2e', [[1, [2]], 3]],
    ['a dict of protocol 2', '80027d710058010000006171014b01732e', { a: 1 }],
    ['a text of protocol 2 in a list', '80025d7100580100000061710161 2e', ['a']],
    ['a lone surrogate', '80048c03eda080942e', '\ud800'],
    [
      'surrogates amid text',
      `80048c0961eda08062edb080c3942e`.replace('c3942e', '942e').replace('8c09', '8c08'),
      'a\ud800b\udc00',
    ],
    ['a member called __proto__', `80047d94${text('__proto__')}944b01732e`, Object.fromEntries([['__proto__', 1]])],
    ['a shared value, twice', '80045d942858010000006194680168006 52e'.replace('6800', '6801'), ['a', 'a', 'a']],
  ])('are read: %s', (_name, hex, value) => {
    expect(plain(hex)).toStrictEqual(value)
  })

  it('of four kilobytes of digits are refused, and less is exact', () => {
    const long = (bytes: number) => {
      const size = Buffer.alloc(4)
      size.writeUInt32LE(bytes)
      return `80048b${size.toString('hex')}${'ff'.repeat(bytes - 1)}7f2e`
    }
    expect(plain(long(300))).toBe(2n ** 2399n - 1n)
    expect(() => plain(long(1_787))).toThrow('4,300 digits')
  })

  it.each([
    ['bytes', '80044301612e', 'a bytes value'],
    ['a bytearray', '80059601000000000000 00612e', 'a bytes value'],
    ['a set', '80048f94284b0190 2e', 'a set'],
    ['a frozenset', '8004284b0191942e', 'a frozenset'],
    ['NaN', '8004477ff80000000000002e', 'NaN'],
    ['infinity', '8004477ff00000000000002e', 'Infinity'],
    ['a dict with a number for a key', '80047d944b014b02732e', 'keys that are not text'],
    ['a class', `8004${text('stateflow.dataflow.event')}${text('Event')}932e`, 'class Event'],
    ['an object of StateFlow', `8004${text('stateflow.dataflow.args')}${text('Arguments')}9329812e`, 'class Arguments'],
  ])('that JSON can’t carry are refused: %s', (_name, hex, words) => {
    expect(() => plain(hex)).toThrow(words)
  })
})

describe('members of StateFlow’s enums', () => {
  const reply = `${text('stateflow.dataflow.event')}${text('_Reply')}93`

  it.each([
    ['by value, as most versions of Python write them', `8004${reply}${text('Pong')}85522e`],
    [
      'by getattr, as Python 3.11.0 to 3.11.3 write them',
      `8004${text('builtins')}${text('getattr')}93${reply}${text('Pong')}86522e`,
    ],
  ])('are read %s', (_how, hex) => {
    expect(readPickle(Buffer.from(hex, 'hex'))).toEqual(new PythonEnumMember('_Reply', 'Pong'))
  })

  it('are all that getattr gives', () => {
    const getattr = `8004${text('builtins')}${text('getattr')}93`
    const event = `${text('stateflow.dataflow.event')}${text('Event')}93`
    for (const hex of [
      `${getattr}${event}${text('copy')}86522e`,
      `${getattr}${text('a')}${text('upper')}86522e`,
      `${getattr}${reply}85522e`,
    ]) {
      expect(() => plain(hex)).toThrow('calls a function')
    }
    expect(() => plain(`${getattr}2e`)).toThrow('getattr')
  })
})

describe('pickles that would do something', () => {
  it.each([
    ['os.system', `8004${text('posix')}${text('system')}93${text('true')}85522e`, 'posix.system'],
    ['a global of protocol 2', `800263${Buffer.from('builtins\neval\n').toString('hex')}2e`, 'builtins.eval'],
    ['a class near the list', `8004${text('stateflow.dataflow.event')}${text('Event.copy')}932e`, 'Event.copy'],
    ['a call of a class', `8004${text('stateflow.dataflow.event')}${text('Event')}9329522e`, 'calls a function'],
    ['a call of text', `8004${text('eval')}${text('1')}85522e`, 'calls a function'],
    [
      'a new object with arguments',
      `8004${text('stateflow.dataflow.args')}${text('Arguments')}934b0185812e`,
      'makes an object',
    ],
    ['a persistent id', `8004${text('x')}512e`, 'opcode 0x51'],
    ['an extension', '8004 82012e', 'opcode 0x82'],
    ['an instance of protocol 0', '8004 69612e', 'opcode 0x69'],
    ['a buffer of another band', '8005 972e', 'opcode 0x97'],
    ['a state of text', `8004${text('x')}${text('y')}622e`, 'builds what is no object'],
    ['an unknown memo', '8004 68052e', 'memo'],
    ['a mark too few', '8004 74 2e', 'mark'],
    ['a reach below the mark', '8004 4b0128852e', 'stack is too low'],
    ['protocol 6', '80064e2e', 'protocol 6'],
    ['no protocol', '4e2e', 'not a Python pickle'],
    ['a length past the end', '80048dffffffffffffffff2e', 'ends in the middle'],
    ['two values', '80044e4e2e', 'goes on'],
  ])('are refused: %s', (_name, hex, words) => {
    expect(() => plain(hex)).toThrow(words)
  })

  it('hold themselves: the answer is refused', () => {
    expect(() => plain('80045d94680061 2e')).toThrow('nested more than')
  })

  it('unfold without end: the answer is refused', () => {
    // Each list holds the one before it twice: 2^40 values in 400 bytes.
    const doubled = Array.from({ length: 40 }, (_, index) => {
      const get = `68${Buffer.of(index).toString('hex')}`
      return `305d94${get}61${get}61`
    })
    expect(() => plain(`80045d94${doubled.join('')}2e`)).toThrow('unfolded')
  })

  it.each([
    ['a long int', `8bfa060000${'ff'.repeat(1_785)}7f`, 2_000, 8_000],
    ['a reference to an entity with a long key', referenceTo('k'.repeat(10_000)), 800, 3_000],
  ])('hold %s so often that it is too much: the answer is refused', (_what, shared, few, many) => {
    const times = (count: number) => `8004${shared}94305d28${'6800'.repeat(count)}652e`
    expect(plain(times(few))).toHaveLength(few)
    expect(() => plain(times(many))).toThrow('unfolded')
  })

  it('are nested by sharing what is nested already: the answer is refused', () => {
    const deep = `${'5d'.repeat(150)}${'61'.repeat(149)}94`
    // A list of a list 150 deep, and of that one again under 150 more.
    expect(() => plain(`800428${deep}${'5d'.repeat(150)}6800${'61'.repeat(150)}6c2e`)).toThrow('nested more than')
    expect(plain(`800428${deep}68006c2e`)).toHaveLength(2)
  })

  it('are nested a hundred thousand deep: the answer is refused, and the stack holds', () => {
    expect(() => plain(`8004${'5d'.repeat(100_000)}${'61'.repeat(99_999)}2e`)).toThrow('nested more than')
  })
})
