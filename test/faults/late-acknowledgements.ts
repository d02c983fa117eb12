import { Socket } from 'node:net'
import process from 'node:process'

/**
 * Loaded into a gateway before its own code (`node --import`): what a broker sends on a connection that produces is taken
 * `FAULT_ACK_DELAY_MS` late, as over a slow link. Replies come by other connections, so they overtake the acknowledgements.
 */
const delayMs = Number(process.env.FAULT_ACK_DELAY_MS ?? 0)

/** Kafka's protocol guide: every request is its length (4 bytes), then its kind (2 bytes); 0 is Produce. */
const LENGTH_BYTES = 4
const KIND_BYTES = 2
const PRODUCE = 0

const producing = new WeakSet<Socket>()
const { write, push } = Socket.prototype

// A connection's own methods, seen from outside: overloads and `this` are kept as they are.
Socket.prototype.write = function (this: Socket, ...args: Parameters<typeof write>) {
  if (isProduce(args[0])) producing.add(this)
  return write.apply(this, args)
} as typeof write

Socket.prototype.push = function (this: Socket, ...args: Parameters<typeof push>) {
  if (!producing.has(this)) return push.apply(this, args)
  setTimeout(() => push.apply(this, args), delayMs)
  return true
}

function isProduce(chunk: unknown): boolean {
  if (!Buffer.isBuffer(chunk) || chunk.length < LENGTH_BYTES + KIND_BYTES) return false
  return chunk.readInt32BE(0) === chunk.length - LENGTH_BYTES && chunk.readInt16BE(LENGTH_BYTES) === PRODUCE
}
