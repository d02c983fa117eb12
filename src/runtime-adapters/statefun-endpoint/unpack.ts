import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'

/** StateFun's own limit for a response; ours for what it unpacks to as well. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024

const gunzipped = promisify(gunzip)
const inflated = promisify(inflate)

export const TOO_LARGE: Failure = {
  kind: 'unusable-answer',
  detail: `The answer has more than ${MAX_ANSWER_BYTES / 1_048_576} MiB.`,
}

/** Never rejects. */
export async function unpack(body: Buffer, encoding: string): Promise<Exchange> {
  const unpacker = { gzip: gunzipped, deflate: inflated }[encoding.toLowerCase()]
  if (unpacker === undefined) return { kind: 'unusable-answer', detail: `The answer’s encoding is "${encoding}".` }
  try {
    return { kind: 'answered', body: await unpacker(body, { maxOutputLength: MAX_ANSWER_BYTES }) }
  } catch (error) {
    // node:zlib's code for more than `maxOutputLength`.
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ERR_BUFFER_TOO_LARGE') return TOO_LARGE
    return { kind: 'unusable-answer', detail: `The answer is no ${encoding}.` }
  }
}
