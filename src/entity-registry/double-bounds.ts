/** Keywords that bound a number, and the side on which the bounded values end. */
const SIDES: Readonly<Record<string, 1 | -1>> = { minimum: -1, exclusiveMinimum: -1, maximum: 1, exclusiveMaximum: 1 }

/**
 * Validators know only doubles. A bound that none holds becomes the next one outside of it, so that nothing is refused that
 * the bound takes.
 */
export function asDoubleBound(keyword: string, value: unknown): unknown {
  const side = SIDES[keyword]
  return side === undefined || typeof value !== 'bigint' ? value : doubleAt(value, side)
}

function doubleAt(value: bigint, side: 1 | -1): number {
  const nearest = Number(value)
  if (!Number.isFinite(nearest)) return nearest
  const isOutside = side === 1 ? BigInt(nearest) >= value : BigInt(nearest) <= value
  return isOutside ? nearest : neighbour(nearest, side)
}

/** The next double; its bits are those of an integer that counts away from zero. */
function neighbour(double: number, side: 1 | -1): number {
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setFloat64(0, double)
  bytes.setBigInt64(0, bytes.getBigInt64(0) + BigInt(double > 0 ? side : -side))
  return bytes.getFloat64(0)
}
