import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { Generation } from '../generation.ts'
import type { Generations } from '../generations.ts'
import type { StrayKeeper } from '../invocations/stray-keeper.ts'
import type { Drain } from '../plugins/drain.ts'
import type { Runtimes, ServedEntities } from '../runtimes.ts'

export interface SwapParts {
  readonly runtimes: Runtimes
  readonly strays: StrayKeeper
  readonly generations: Generations
  readonly drain: Pick<Drain, 'isDraining'>
  readonly make: (served: ServedEntities) => Promise<Generation>
}

/** Whole or not at all: everything that can fail is done before anything is exchanged, and that is then done in one go. */
export function createSwap({ runtimes, strays, generations, drain, make }: SwapParts) {
  return async (entities: readonly EntityDescriptor[]): Promise<void> => {
    const prepared = await runtimes.prepare(entities)
    const next = await make(prepared).catch(async (error: unknown) => {
      await prepared.abandon()
      throw error
    })
    if (drain.isDraining()) {
      await prepared.abandon()
      await next.close()
      throw new Error('The gateway is stopping.')
    }
    prepared.commit(generations.ended())
    strays.know(entities)
    generations.follow(next)
  }
}
