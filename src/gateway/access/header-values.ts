import type { IncomingMessage } from 'node:http'

/**
 * Every value that a header came with. Node's `headers` keeps one of several `Authorization`, and joins others.
 * @param name in lower case
 */
export function headerValues({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = rawHeaders[index] ?? ''
    // Most names differ in their length already.
    if (given.length === name.length && given.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}
