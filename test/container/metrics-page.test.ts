import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { installTools, runTool, toolsUnavailable } from './python-tools.ts'

const why = toolsUnavailable()

describe.skipIf(why !== undefined)(`the metrics page${why === undefined ? '' : ` [${why}]`}`, () => {
  const checker = join(import.meta.dirname, 'metrics_page.py')
  let tools: string
  let gateway: RunningGateway
  beforeAll(async () => {
    tools = await installTools()
    gateway = await startGateway({})
  }, 400_000)
  afterAll(() => gateway?.close())

  function post(path: string, body: object) {
    const headers = { 'content-type': 'application/json' }
    return fetch(`${gateway.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  it('is read whole by Prometheus’s own client, which finds nothing wrong with names, units, labels and histograms', async () => {
    for (let user = 0; user < 30; user++) await post('/user', { username: `user-${user}` })
    await post('/user/user-1/update_balance', { x: 'no number' })
    await post('/user/user-1/buy_item', { amount: 1, item: 'none' })
    await fetch(`${gateway.url}/nothing "of\\this\nkind`)
    const page = await (await fetch(`${gateway.url}/-/metrics`)).text()
    const { code, said } = runTool(join(tools, 'python'), [checker], page)
    expect(said).toMatch(/^read (\d{2,}) metrics, \d{3,} series\n$/)
    expect(code).toBe(0)
    expect(page).not.toContain('user-1')
  })

  it.each([
    ['a counter without _total', '# HELP a_b A.\n# TYPE a_b counter\na_b 1\n', 'a_b'],
    ['another unit than the base', '# HELP a_milliseconds A.\n# TYPE a_milliseconds gauge\na_milliseconds 1\n', 'unit'],
    ['no help', '# TYPE a gauge\na 1\n', 'no help'],
    [
      'buckets that are not cumulative',
      '# HELP a_seconds A.\n# TYPE a_seconds histogram\na_seconds_bucket{le="1"} 3\na_seconds_bucket{le="+Inf"} 2\na_seconds_sum 1\na_seconds_count 2\n',
      'not cumulative',
    ],
    ['a series that is there twice', '# HELP a A.\n# TYPE a gauge\na{b="c"} 1\na{b="c"} 2\n', 'duplicate'],
  ])('would be found out with %s', (_what, page, said) => {
    expect(runTool(join(tools, 'python'), [checker], page).said).toContain(said)
  })
})
