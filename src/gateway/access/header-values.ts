import type { IncomingMessage } from 'node:http'

/** Every value that a header came with. Node's `headers` keeps one of several `Authorization`, and joins others. */
export function headerValues({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  return rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
}
