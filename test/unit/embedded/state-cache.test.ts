import { describe, expect, it } from 'vitest'
import { createStateCache } from '../../../src/runtime-adapters/embedded/state-cache.ts'

const CHARS = 100

describe('the cache of states', () => {
  it('gives what was put in last', () => {
    const cache = createStateCache(1_000)
    cache.set('a', { n: 1 }, CHARS)
    cache.set('a', { n: 2 }, CHARS)
    expect(cache.get('a')).toEqual({ n: 2 })
    expect(cache.get('b')).toBeUndefined()
    cache.clear()
    expect(cache.get('a')).toBeUndefined()
  })

  it('drops what is old and unused, keeps what is used, and never holds more than its bound', () => {
    const cache = createStateCache(10 * CHARS)
    const places = Array.from({ length: 50 }, (_, index) => `p${index}`)
    for (const place of places) {
      cache.set(place, { place }, CHARS)
      expect(cache.get('p0')).toEqual({ place: 'p0' })
    }
    const held = places.filter((place) => cache.get(place) !== undefined)
    expect(held).toContain('p49')
    expect(held.length).toBeLessThanOrEqual(10)
  })

  it('holds the newer state when an older one is still in the old half', () => {
    const cache = createStateCache(4 * CHARS)
    cache.set('a', { n: 1 }, CHARS)
    for (const place of ['b', 'c']) cache.set(place, {}, CHARS)
    cache.set('a', { n: 2 }, CHARS)
    expect(cache.get('a')).toEqual({ n: 2 })
    for (const place of ['d', 'e']) cache.set(place, {}, CHARS)
    expect(cache.get('a') ?? { n: 2 }).toEqual({ n: 2 })
  })
})
