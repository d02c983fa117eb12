import { createRandom, type Random } from '../simulation/random.ts'

/**
 * Random programs for two functions, `lab/left` and `lab/right`. A program is deterministic although everything in it is concurrent: its calls
 * follow one another, each is a chain in which one message follows another, and whatever leaves the chain only adds to a number that
 * nobody reads before all has arrived.
 */

/** Where a step can go: a function and one of the program's ids. */
export interface Place {
  readonly side: Side
  readonly id: string
}

export type Side = 'left' | 'right'

export type Step =
  /** Adds to the list that only chains write, and tells its length. */
  | { readonly kind: 'note'; readonly x: number }
  /** Deletes the list. */
  | { readonly kind: 'forget' }
  /** Writes a value that is gone after `FLEETING_MS`, and one that stays. */
  | { readonly kind: 'light' }
  /** Tells which of the two are there. */
  | { readonly kind: 'look' }
  /** A message that adds: at once, or later and under a token. */
  | { readonly kind: 'tell'; readonly to: Place; readonly x: number; readonly later?: Later }
  | { readonly kind: 'cancel'; readonly token: string }
  /** The chain goes on there with what is left of it; the endpoint fails that message so many times. */
  | { readonly kind: 'go'; readonly to: Place; readonly afterMs?: number; readonly stumble?: Stumble }
  /** The chain ends with an error; what it has changed stays. */
  | { readonly kind: 'raise' }

export interface Later {
  readonly afterMs: number
  readonly token?: string
}

/** A failure that passes: before the function runs, after it has run, or in the middle of the answer. */
export interface Stumble {
  readonly name: string
  readonly times: number
  readonly how: 'error-before' | 'error-after' | 'other-type' | 'cut-off'
}

export type ProgramCall =
  | { readonly kind: 'chain'; readonly at: Place; readonly steps: readonly Step[]; readonly stumble?: Stumble }
  /** So many additions at once: they become batches. */
  | { readonly kind: 'burst'; readonly at: Place; readonly adds: readonly number[] }

export interface Program {
  readonly seed: number
  readonly places: readonly Place[]
  readonly calls: readonly ProgramCall[]
  /** Messages that leave chains, and calls of bursts, by `side/id`. */
  readonly arrivals: ReadonlyMap<string, number>
}

export const FLEETING_MS = 50
/** After this, what has not been cancelled has come. A chain cancels long before, on however busy a machine. */
export const CANCELLED_MS = 8_000

export function placeName({ side, id }: Place): string {
  return `${side}/${id}`
}

export function makeProgram(seed: number): Program {
  const random = createRandom(seed)
  const ids = ['a', 'b'].map((slot) => `${seed}-${slot}`)
  const places = ids.flatMap((id): Place[] => [
    { side: 'left', id },
    { side: 'right', id },
  ])
  const arrivals = new Map(places.map((place) => [placeName(place), 0]))
  const writer = createWriter({ random, places, arrivals, seed })
  const calls = Array.from({ length: random.integer(2, 6) }, () => writer.call())
  return { seed, places, calls, arrivals }
}

interface WriterOptions {
  readonly random: Random
  readonly places: readonly Place[]
  readonly arrivals: Map<string, number>
  readonly seed: number
}

function createWriter({ random, places, arrivals, seed }: WriterOptions): { call(): ProgramCall } {
  let names = 0
  const name = () => `${seed}-${names++}`
  const x = () => random.integer(-9, 99)
  const place = (): Place => places[random.integer(0, places.length - 1)] ?? { side: 'left', id: `${seed}-a` }
  const arrive = (to: Place, count = 1) => arrivals.set(placeName(to), (arrivals.get(placeName(to)) ?? 0) + count)
  const stumble = (): { stumble: Stumble } | undefined =>
    random.chance(0.15)
      ? {
          stumble: {
            name: name(),
            times: random.integer(1, 4),
            how: random.pick(['error-before', 'error-after', 'other-type', 'cut-off']),
          },
        }
      : undefined

  function tell(): readonly Step[] {
    const to = place()
    arrive(to)
    const later = random.chance(0.4) ? { later: { afterMs: random.integer(1, 200), token: name() } } : undefined
    return [{ kind: 'tell', to, x: x(), ...later }]
  }

  /** Taken back by the function that has sent it, in the same turn or in its next one; so it never arrives. */
  function changeOfMind(here: Place): readonly Step[] {
    const token = name()
    const sent: Step = { kind: 'tell', to: place(), x: x(), later: { afterMs: CANCELLED_MS, token } }
    const unknown: readonly Step[] = random.chance(0.5) ? [{ kind: 'cancel', token: name() }] : []
    const onward: readonly Step[] = random.chance(0.5) ? [{ kind: 'go', to: here }] : []
    return [sent, ...unknown, ...onward, { kind: 'cancel', token }]
  }

  function fadeAway(here: Place): readonly Step[] {
    return [{ kind: 'light' }, { kind: 'go', to: here, afterMs: 6 * FLEETING_MS }, { kind: 'look' }]
  }

  /** Steps that stay where they are. */
  function stay(here: Place): readonly Step[] {
    const kind = random.pick(['note', 'note', 'note', 'tell', 'tell', 'forget', 'change-of-mind', 'fade-away'] as const)
    switch (kind) {
      case 'note':
        return [{ kind, x: x() }]
      case 'forget':
        return [{ kind }]
      case 'tell':
        return tell()
      case 'change-of-mind':
        return changeOfMind(here)
      case 'fade-away':
        return random.chance(0.3) ? fadeAway(here) : [{ kind: 'note', x: x() }]
    }
  }

  function chain(): ProgramCall {
    const at = place()
    let here = at
    const steps: Step[] = [...stay(here)]
    for (let hops = random.integer(0, 4); hops > 0; hops--) {
      here = place()
      const delay = random.chance(0.25) ? { afterMs: random.integer(1, 100) } : undefined
      steps.push({ kind: 'go', to: here, ...delay, ...stumble() }, ...stay(here), ...stay(here))
    }
    if (random.chance(0.15)) steps.push({ kind: 'raise' })
    return { kind: 'chain', at, steps, ...stumble() }
  }

  function burst(): ProgramCall {
    const at = place()
    const adds = Array.from({ length: random.integer(2, 12) }, x)
    arrive(at, adds.length)
    return { kind: 'burst', at, adds }
  }

  return { call: () => (random.chance(0.25) ? burst() : chain()) }
}
