import type { State } from './state-store.ts'

/** States that were read or written lately, bounded by the characters of their texts. */
export interface StateCache {
  get(place: string): State | undefined
  set(place: string, state: State, chars: number): void
  clear(): void
}

interface Entry {
  readonly state: State
  readonly chars: number
}

/** Two generations: when the young one has its half, it becomes the old one, and what was old and unused is dropped. */
export function createStateCache(maxChars: number): StateCache {
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  let youngChars = 0
  const add = (place: string, entry: Entry): void => {
    youngChars += entry.chars - (young.get(place)?.chars ?? 0)
    young.set(place, entry)
    if (youngChars <= maxChars / 2) return
    old = young
    young = new Map()
    youngChars = 0
  }
  return {
    get(place) {
      const recent = young.get(place)
      if (recent !== undefined) return recent.state
      const entry = old.get(place)
      if (entry !== undefined) add(place, entry)
      return entry?.state
    },
    set: (place, state, chars) => add(place, { state, chars: chars + place.length }),
    clear() {
      young = new Map()
      old = new Map()
      youngChars = 0
    },
  }
}
