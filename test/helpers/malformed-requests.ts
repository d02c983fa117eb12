/** Requests of which no runtime must ever hear. Each kind is varied by a number. */
export interface MalformedRequest {
  readonly kind: string
  readonly verb: string
  readonly path: string
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

const json = { 'content-type': 'application/json' }

type Make = (variant: number) => Omit<MalformedRequest, 'kind'>

const post = (path: string, body: unknown): ReturnType<Make> => ({
  verb: 'POST',
  path,
  body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
  headers: json,
})

const kinds: Readonly<Record<string, Make>> = {
  'unknown entity': (n) => post(`/users${n}/a/get_balance`, {}),
  'unknown method': (n) => post(`/user/a/get_balance_${n}`, {}),
  'unknown attribute': (n) => ({ verb: 'GET', path: `/user/a/colour${n}` }),
  'the constructor as a method': (n) => post(`/user/a${n}/__init__`, { username: `b${n}` }),
  'the key function as a method': (n) => post(`/user/a${n}/__key__`, {}),
  'a member of every object': (n) =>
    post(`/user/a/${['constructor', 'toString', '__proto__', 'hasOwnProperty'][n % 4]}`, {}),
  'constructor without its argument': (n) => post('/item', n % 2 === 0 ? { price: n } : { item_name: `i${n}` }),
  'constructor with one too many': (n) => post('/user', { username: `u${n}`, [`extra${n}`]: n }),
  'constructor with the wrong type': (n) => post('/item', { item_name: n, price: 1 }),
  'constructor with a null key': () => post('/user', { username: null }),
  'constructor with an empty key': () => post('/user', { username: '' }),
  'method without its argument': (n) => post(`/user/a${n}/buy_item`, { amount: n }),
  'method with one too many': (n) => post(`/user/a/update_balance`, { x: n, y: n }),
  'wrong type': (n) => post('/user/a/update_balance', { x: ['1', true, 1.5, null, [], {}, '', '0x1'][n % 8] }),
  'integer beyond 64 bits': (n) => post('/user/a/update_balance', `{"x":${'9'.repeat(19 + n)}}`),
  'number beyond doubles': (n) => post('/user/a/update_balance', `{"x":1e${400 + n}}`),
  'null where a reference belongs': () => post('/user/a/buy_item', { amount: 1, item: null }),
  'reference of the wrong type': (n) => post('/user/a/buy_item', { amount: 1, item: [n, [], {}, false][n % 4] }),
  'list of references with a hole': () => post('/user/a/simple_for_loop', { users: ['a', null] }),
  'no list where one belongs': (n) => post('/user/a/simple_for_loop', { users: `u${n}` }),
  'broken JSON': (n) =>
    post(
      '/user/a/update_balance',
      ['{', '{"x":', '{"x":1', '{x:1}', "{'x':1}", '{"x":1}}', '\u0000', '{"x":01}'][n % 8] ?? '',
    ),
  'not UTF-8': (n) => post('/user', Buffer.from([0x7b, 0x22, 0x75, 0x22, 0x3a, 0x22, 0xff - n, 0x22, 0x7d])),
  'not an object': (n) => post('/user', ['[]', '1', '"x"', 'null', 'true', '[{}]', '1.5', '""'][n % 8] ?? ''),
  'wrong media type': (n) => ({
    verb: 'POST',
    path: '/user',
    body: 'username=a',
    headers: {
      'content-type':
        ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data'][n % 4] ?? '',
    },
  }),
  'wrong verb': (n) => ({ verb: ['PUT', 'DELETE', 'PATCH', 'GET'][n % 4] ?? 'PUT', path: '/user/a/update_balance' }),
  'key over 1 KiB': (n) => post(`/user/${'k'.repeat(1025 + n)}/get_balance`, {}),
  'key that is not UTF-8': (n) => post(`/user/%${(0xc0 + n).toString(16)}%28/get_balance`, {}),
  'broken percent-encoding': (n) => post(`/user/%zz${n}/get_balance`, {}),
  'body over the limit': (n) => post('/user', { username: 'x'.repeat(1_048_577 + n) }),
  'deep nesting': (n) => post('/user', `{"username":${'['.repeat(70 + n)}${']'.repeat(70 + n)}}`),
  '__proto__ in the arguments': () => post('/user/a/update_balance', '{"x":1,"__proto__":{"y":1}}'),
  'arguments in the query': (n) => post(`/user/a/update_balance?x=${n}`, { x: n }),
  'attribute that may not be written': (n) => ({
    verb: 'PUT',
    path: '/user/a/balance',
    body: String(n),
    headers: json,
  }),
}

export const malformedKinds: readonly string[] = Object.keys(kinds)

/** Eight variants of each kind. */
export const malformedRequests: readonly MalformedRequest[] = Object.entries(kinds).flatMap(([kind, make]) =>
  Array.from({ length: 8 }, (_, variant) => ({ kind, ...make(variant) })),
)
