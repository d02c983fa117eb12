import { setFlagsFromString } from 'node:v8'

/**
 * For a process that is the gateway's own, once, at its start. V8 puts objects of a kind that outlives a few collections straight among
 * the old ones (Clifford et al., "Memento mori", ISMM 2015). Calls under way look like such objects and end soon after; each then keeps
 * all that it refers to until the next full collection, and every small one copies that: at 256 calls under way this takes a third of the
 * CPU, half of the memory, and pauses of 20 ms.
 */
export function setEngineFlags(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
