import type { ServerResponse } from 'node:http'

const ENDS = Symbol('what is told of its end')

/** A response that somebody waits for. */
interface Followed extends ServerResponse {
  [ENDS]?: (() => void)[]
}

/** Calls `end` when the response has gone, or its caller has. All who wait share one listener: each of their own would cost every request more. */
export function whenEnded(response: ServerResponse, end: () => void): void {
  const followed: Followed = response
  const ends = followed[ENDS]
  if (ends !== undefined) {
    ends.push(end)
    return
  }
  followed[ENDS] = [end]
  response.on('close', tellAll)
}

function tellAll(this: Followed): void {
  for (const end of this[ENDS] ?? []) end()
}
