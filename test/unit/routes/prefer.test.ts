import { describe, expect, it } from 'vitest'
import { parsePrefer } from '../../../src/routes/prefer.ts'

const usual = { respondAsync: false, waitSeconds: undefined, minimal: false, strict: false, unknown: [] }

describe('parsePrefer', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['respond-async', { respondAsync: true }],
    ['respond-async, wait=10', { respondAsync: true, waitSeconds: 10 }],
    ['wait=10,respond-async', { respondAsync: true, waitSeconds: 10 }],
    ['Respond-Async , WAIT = 5', { respondAsync: true, waitSeconds: 5 }],
    ['wait="7"', { waitSeconds: 7 }],
    ['return="mini\\mal"', { minimal: true }],
    ['return=minimal', { minimal: true }],
    ['return="minimal"; foo="a,b"', { minimal: true }],
    ['handling=strict, return=representation', { strict: true }],
    ['handling=lenient', {}],
    ['wait=1, wait=9', { waitSeconds: 1 }],
    ['return=representation, return=minimal', {}],
    ['respond-async; x=1, wait=2', { respondAsync: true, waitSeconds: 2 }],
    ['respond-async=""', { respondAsync: true }],
    [', ,respond-async,,', { respondAsync: true }],
  ])('reads %j', (header, expected) => {
    expect(parsePrefer(header)).toEqual({ ...usual, ...expected })
  })

  it.each([
    ['priority=5', ['priority=5']],
    ['wait=soon', ['wait=soon']],
    ['wait=-1', ['wait=-1']],
    ['return=everything', ['return=everything']],
    ['respond-async=yes', ['respond-async=yes']],
    ['odd="a,b;c\\"d", other', ['odd="a,b;c\\"d"', 'other']],
  ])('names what it does not know in %j', (header, unknown) => {
    expect(parsePrefer(header)).toEqual({ ...usual, unknown })
  })
})
