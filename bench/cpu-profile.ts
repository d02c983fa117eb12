/** What Node's `--cpu-prof` writes, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[]
  /** The node that ran, sample by sample. */
  readonly samples: readonly number[]
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[]
}

export interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

/** Node's own function that begins a request. */
const REQUEST = 'parserOnIncoming'
/** Of a process that has nothing to do, and the frame that all stacks begin with. */
const NOTHING = new Set(['(idle)', '(root)'])

export interface Stack {
  /** Outermost first. */
  readonly frames: readonly Frame[]
  readonly micros: number
}

/** Each sample's stack, from the first request on: a start is another matter. */
export function* stacksOf({ nodes, samples, timeDeltas }: CpuProfile): Generator<Stack> {
  const framesOf = new Map<number, readonly Frame[]>()
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const read = (id: number): readonly Frame[] => {
    const frames: Frame[] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = byId.get(at)?.callFrame
      if (frame !== undefined && !NOTHING.has(frame.functionName)) frames.push(frame)
    }
    return frames.reverse()
  }
  let hasBegun = false
  for (const [index, id] of samples.entries()) {
    const frames = framesOf.get(id) ?? read(id)
    framesOf.set(id, frames)
    hasBegun ||= frames.some(({ functionName }) => functionName === REQUEST)
    if (hasBegun && frames.length > 0) yield { frames, micros: timeDeltas[index] ?? 0 }
  }
}
