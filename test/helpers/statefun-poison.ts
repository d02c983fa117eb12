import type { MalformedRequest } from './malformed-requests.ts'

/**
 * What ends or stalls a StateFun job when it comes as a record: null and empty keys and values, bytes that are no JSON, methods and functions
 * that do not exist, topics of a caller's choice. Here each comes as a request, in whatever disguise HTTP has for it.
 */

const json = { 'content-type': 'application/json' }

const post = (kind: string, path: string, body: unknown): MalformedRequest => ({
  kind,
  verb: 'POST',
  path,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: json,
})

/** Of these, no record may be made. */
export const statefunPoison: readonly MalformedRequest[] = [
  post('an empty key', '/user//get_balance', {}),
  post('an empty key of what is created', '/item', { item_name: '', price: 1 }),
  post('a null key', '/item', { item_name: null, price: 1 }),
  post('a key that is half a character', '/user', '{"username":"\\ud800"}'),
  post('a reference that is half a character', '/user/a/buy_item', '{"amount":1,"item":"\\udfff"}'),
  post('null for everything', '/user/a/update_balance', 'null'),
  post('nothing', '/user/a/update_balance', ''),
  post('a null argument', '/user/a/update_balance', { x: null }),
  post('bytes that are no JSON', '/user/a/update_balance', '{"x":'),
  post('NaN', '/user/a/update_balance', '{"x":NaN}'),
  post('an integer that a double can’t hold', '/user/a/update_balance', '{"x":9007199254740993}'),
  post('a method of the function that has no route', '/user/a/get', {}),
  post('the constructor under its name in messages', '/user/a/create', { username: 'a' }),
  post('a message between functions', '/item/a/put-back', { amount: 1 }),
  post('another function', '/user%2Fitem/a/get_price', {}),
  post('a function that does not exist', '/customer/a/get', {}),
  post('a correlation id as an argument', '/user/a/update_balance', { x: 1, correlation_id: 'mine' }),
  post('a method as an argument', '/user/a/update_balance', { x: 1, method: 'nope' }),
  post('an illegal topic as an argument', '/user/a/update_balance', { x: 1, reply_topic: 'bad topic!' }),
  post('a message instead of arguments', '/user/a/update_balance', { correlation_id: 'c', method: 'get', args: {} }),
  post('what no record can hold', '/user', { username: 'x'.repeat(2_000_000) }),
]

/** Headers that would be an envelope elsewhere. The call is a good one, and is answered as if they were not there. */
export const envelopeHeaders: readonly Readonly<Record<string, string>>[] = [
  { 'reply-topic': 'bad topic!' },
  { 'x-reply-topic': '' },
  { 'kafka-topic': 'bad topic!', 'kafka-key': '' },
  { 'x-correlation-id': 'mine' },
  { 'correlation-id': '' },
  { 'x-request-id': '../../etc' },
  { traceparent: 'not a trace context' },
  { 'x-http-method-override': 'DELETE' },
]

/** Legal, and strange: they reach the functions, which know nobody of this name. */
export const strangeKeys: readonly string[] = [
  '\u0000',
  ' ',
  '/',
  'null',
  '\ufffd',
  '\u202e',
  '{}',
  'a\nb',
  'k'.repeat(1_000),
]
