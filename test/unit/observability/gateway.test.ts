import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RunningGateway, startGateway } from '../../helpers/running-gateway.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'
import { until } from '../../helpers/until.ts'
import { lintPage, type Page } from './lint-page.ts'

const opened: RunningGateway[] = []

async function start(...given: Parameters<typeof startGateway>): Promise<RunningGateway> {
  const gateway = await startGateway(...given)
  opened.push(gateway)
  return gateway
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((gateway) => gateway.close()))
})

function post(gateway: RunningGateway, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
  return fetch(`${gateway.url}${path}`, { ...init, body: JSON.stringify(body) })
}

async function scrape({ url }: RunningGateway): Promise<Page> {
  const response = await fetch(`${url}/-/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return lintPage(await response.text())
}

function numberOf({ series }: Page, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = Object.entries(labels)
  return series.find((one) => one.name === name && wanted.every(([label, value]) => one.labels[label] === value))?.value
}

describe('/-/metrics', () => {
  it('is a page that promtool would take, after calls of every kind', async () => {
    const gateway = await start({})
    await post(gateway, '/user', { username: 'alice' })
    await post(gateway, '/user', { username: 'alice' })
    await post(gateway, '/user/alice/update_balance', { x: 'no number' })
    await fetch(`${gateway.url}/user/alice`)
    await fetch(`${gateway.url}/nothing/here`)
    await post(gateway, '/item', { item_name: 'laptop', price: 3 }, { prefer: 'respond-async' })
    const { problems, series } = await scrape(gateway)
    expect(problems).toEqual([])
    expect(series.length).toBeGreaterThan(50)
  })

  it('counts calls by entity, operation and outcome, and requests by route and status, never by key', async () => {
    const gateway = await start({})
    await post(gateway, '/user', { username: 'a-secret-key' })
    await post(gateway, '/user', { username: 'a-secret-key' })
    await fetch(`${gateway.url}/user/a-secret-key/balance`)
    await fetch(`${gateway.url}/a-secret-key`)
    const page = await scrape(gateway)
    const create = { entity: 'User', operation: 'create', method: '' }
    expect(numberOf(page, 'gateway_calls_total', { ...create, outcome: 'created' })).toBe(1)
    expect(numberOf(page, 'gateway_calls_total', { ...create, outcome: 'rejected', cause: 'entity-exists' })).toBe(1)
    expect(numberOf(page, 'gateway_reply_latency_seconds_count', create)).toBe(2)
    const read = { http_request_method: 'GET', http_route: '/user/:key/balance', http_response_status_code: '200' }
    expect(numberOf(page, 'http_server_request_duration_seconds_count', read)).toBe(1)
    const missed = { http_request_method: 'GET', http_route: '', http_response_status_code: '404' }
    expect(numberOf(page, 'http_server_request_duration_seconds_count', missed)).toBe(1)
    expect(numberOf(page, 'gateway_problems_total', { code: 'entity_exists' })).toBe(1)
    expect(JSON.stringify(page.series)).not.toContain('a-secret-key')
  })

  it('counts the lines of batches by status, and the store’s exchanges', async () => {
    const gateway = await start({})
    const lines = ['{"entity":"user","method":"create","args":{"username":"b"}}', 'junk', '{"entity":"nobody"}']
    const init = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: lines.join('\n') }
    await (await fetch(`${gateway.url}/-/batch`, init)).text()
    await post(gateway, '/user', { username: 'kept' }, { 'idempotency-key': 'one' })
    const page = await scrape(gateway)
    expect(numberOf(page, 'gateway_batch_lines_total', { status: '201' })).toBe(1)
    expect(numberOf(page, 'gateway_batch_lines_total', { status: '400' })).toBe(2)
    const open = { store: 'memory', operation: 'open', result: 'ok' }
    expect(numberOf(page, 'gateway_store_operation_duration_seconds_count', open)).toBe(1)
  })

  it('counts a caller who leaves before he is answered, and forgets that he was there', async () => {
    let isAsked = false
    const gateway = await start(
      {},
      {
        routes: [
          async (scope) => {
            scope.get('/slow', (_request, reply) => {
              isAsked = true
              reply.raw.once('close', () => reply.hijack())
              return new Promise(() => undefined)
            })
          },
        ],
      },
    )
    const abort = new AbortController()
    const left = fetch(`${gateway.url}/slow`, { signal: abort.signal }).catch(() => undefined)
    await until('the request is there', () => isAsked)
    abort.abort()
    await left
    const counted = { http_route: '/slow', http_response_status_code: '' }
    await until('it is counted', async () => {
      return numberOf(await scrape(gateway), 'http_server_request_duration_seconds_count', counted) === 1
    })
    // The scrape itself.
    expect(numberOf(await scrape(gateway), 'http_server_active_requests')).toBe(1)
  })

  it('is not there where metrics are off', async () => {
    const gateway = await start({ GATEWAY_METRICS: 'false' })
    expect((await fetch(`${gateway.url}/-/metrics`)).status).toBe(404)
    const created = await post(gateway, '/user', { username: 'alice' })
    expect(created.status).toBe(201)
  })
})

describe('Server-Timing', () => {
  it('says of a call how long it took, and how long of that the runtime', async () => {
    const gateway = await start({ GATEWAY_SERVER_TIMING: 'true' })
    const answer = await post(gateway, '/user', { username: 'alice' })
    const [, total = '', runtime = ''] =
      /^total;dur=(\d+\.\d{3}), runtime;dur=(\d+\.\d{3})$/.exec(answer.headers.get('server-timing') ?? '') ?? []
    expect(total).not.toBe('')
    expect(Number(runtime)).toBeLessThanOrEqual(Number(total))
  })

  it('is left out where no runtime was asked', async () => {
    const gateway = await start({ GATEWAY_SERVER_TIMING: 'true' })
    const refused = await post(gateway, '/user', { username: 7 })
    expect(refused.status).toBe(400)
    expect(refused.headers.get('server-timing')).toBeNull()
    expect((await fetch(`${gateway.url}/-/livez`)).headers.get('server-timing')).toBeNull()
  })

  it('is a matter of asking: by default nobody is told', async () => {
    const gateway = await start({})
    const answer = await post(gateway, '/user', { username: 'alice' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('server-timing')).toBeNull()
  })
})

describe('the log', () => {
  function collect() {
    const lines: string[] = []
    return { lines, logger: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } } }
  }

  it('has one line a request where it is asked for, with what operators look for', async () => {
    const { lines, logger } = collect()
    const gateway = await start({ LOG_REQUESTS: 'true' }, { logger })
    const answer = await post(gateway, '/user/nobody/get_balance', {})
    await until('it is logged', () => lines.some((line) => line.includes('"answered"')))
    const logged = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered')
    expect(logged).toHaveLength(1)
    expect(logged[0]).toMatchObject({ method: 'POST', status: answer.status, problem: 'entity_not_found' })
    await post(gateway, '/user', { username: 'alice' })
    await until('that too', () => lines.some((line) => line.includes('"status":201')))
    const created = lines.map((line) => JSON.parse(line)).find(({ status }) => status === 201)
    expect(created).toMatchObject({ method: 'POST', route: '/user', status: 201, durationMs: expect.any(Number) })
    expect(created.invocationId).toBe(created.reqId)
  })

  it('has none where it is not asked for', async () => {
    const { lines, logger } = collect()
    const gateway = await start({}, { logger })
    await post(gateway, '/user', { username: 'alice' })
    expect(lines.filter((line) => line.includes('"reqId"'))).toEqual([])
  })

  it('never has keys, arguments, answers or credentials in it, at the lowest level', async () => {
    const { lines, logger } = collect()
    const gateway = await start({ LOG_REQUESTS: 'true', LOG_LEVEL: 'trace' }, { logger })
    const secrets = { authorization: 'Bearer S3CRET', cookie: 'id=S3CRET', 'x-api-key': 'S3CRET' }
    await post(gateway, '/user', { username: 'S3CRET' }, secrets)
    await post(gateway, '/user', { username: 'S3CRET' }, secrets)
    await post(gateway, '/user/S3CRET/update_balance', { x: 'S3CRET' }, secrets)
    await post(gateway, '/S3CRET?S3CRET=1', { S3CRET: 1 }, secrets)
    await fetch(`${gateway.url}/user/S3CRET`, { headers: secrets })
    await until('all are logged', () => lines.filter((line) => line.includes('"answered"')).length >= 5)
    expect(lines.join('')).not.toContain('S3CRET')
  })
})

describe('canary calls', () => {
  let folder: TemporaryFolder
  let overrides: string

  beforeAll(() => {
    folder = createTemporaryFolder()
    overrides = folder.write('overrides.json', { 'User.get_balance': { safe: true } })
  })
  afterAll(() => folder.close())

  it('tell readiness and metrics whether a runtime answers, be it with a refusal', async () => {
    const gateway = await start({ GATEWAY_OVERRIDES: overrides, GATEWAY_CANARY_CALLS: 'User/no/body/get_balance' })
    const canary = { canary: 'User/no/body/get_balance' }
    await until('the first call', async () => numberOf(await scrape(gateway), 'gateway_canary_up', canary) === 1)
    const { checks } = (await (await fetch(`${gateway.url}/-/readyz?verbose`)).json()) as { checks: object[] }
    expect(checks).toContainEqual(expect.objectContaining({ name: 'canary User/no/body/get_balance', ok: true }))
  })

  it.each([
    ['User/x/nothing', /there is no User.nothing/],
    ['Nobody/x/get_balance', /there is no Nobody.get_balance/],
    ['User/x/update_balance', /may change something/],
  ])('refuse to start: %s', async (call, why) => {
    await expect(start({ GATEWAY_OVERRIDES: overrides, GATEWAY_CANARY_CALLS: call })).rejects.toThrow(why)
  })
})
