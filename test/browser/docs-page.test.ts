import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium, noChromium } from '../helpers/chromium.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { callerOf } from '../helpers/shop-transcript.ts'

const HOST = 'gw.test'
const reason = noChromium === undefined ? '' : ` [skipped: ${noChromium}]`

/** A page, and all that it asked for or complained of. */
interface WatchedPage {
  readonly page: Page
  readonly requests: string[]
  readonly complaints: string[]
}

describe.skipIf(noChromium !== undefined)(`the docs page in Chromium${reason}`, () => {
  let gateway: RunningGateway
  let browser: Browser
  beforeAll(async () => {
    gateway = await startGateway({})
    browser = await launchChromium([HOST])
    const call = callerOf(gateway.url)
    await call('POST', '/user', { username: 'alice' })
    await call('POST', '/user/alice/update_balance', { x: 99 })
    await call('POST', '/item', { item_name: 'laptop', price: 3 })
    await call('POST', '/item/laptop/update_stock', { amount: 10 })
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
  })
  afterAll(async () => {
    await browser?.close()
    await gateway?.close()
  })

  async function open(host: string): Promise<WatchedPage> {
    const page = await browser.newPage()
    page.setDefaultTimeout(10_000)
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('requestfailed', (request) => complaints.push(`${request.url()} failed: ${request.failure()?.errorText}`))
    page.on('response', (answer) => {
      if (answer.status() >= 400) complaints.push(`${answer.url()} answered ${answer.status()}`)
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    await page.goto(`http://${host}:${new URL(gateway.url).port}/docs`)
    await page.locator('.opblock').first().waitFor()
    return { page, requests, complaints }
  }

  it.each(['127.0.0.1', HOST])('opens at %s over plain HTTP, asks no other host and has no errors', async (host) => {
    const { page, requests, complaints } = await open(host)
    await page.waitForLoadState('networkidle')
    expect(complaints).toEqual([])
    expect([...new Set(requests.map((url) => new URL(url).host))]).toEqual([`${host}:${new URL(gateway.url).port}`])
    expect(await page.title()).toBe('StateFlow gateway')
    expect(await page.locator('.info').textContent()).toContain('The entities of shop.')
    expect(await page.locator('.opblock-tag').allTextContents()).toEqual([
      expect.stringContaining('Something the shop sells.'),
      expect.stringContaining('A customer with a purse.'),
      expect.stringContaining('The gateway itself.'),
    ])
  })

  it('lets one try out buy_item, with key and arguments filled in from the examples', async () => {
    const { page, requests, complaints } = await open(HOST)
    const operation = page.locator('#operations-User-user_buy_item')
    await operation.locator('.opblock-summary-control').click()
    expect(await operation.locator('.opblock-description').textContent()).toContain('Buys pieces of an item.')
    expect(await operation.locator('tr[data-param-name="key"] input').inputValue()).toBe('alice')
    expect(JSON.parse(await operation.locator('textarea').inputValue())).toEqual({ amount: 2, item: 'laptop' })
    await operation.locator('button.execute').click()
    const answer = operation.locator('.live-responses-table .response').first()
    expect(await answer.locator('.response-col_status').textContent()).toContain('200')
    expect(await answer.locator('.response-col_description pre').first().textContent()).toContain('true')
    expect(requests.at(-1)).toBe(`http://${HOST}:${new URL(gateway.url).port}/user/alice/buy_item`)
    expect(complaints).toEqual([])
    expect((await callerOf(gateway.url)('GET', '/item/laptop/stock')).body).toBe(8)
  })

  it('shows a problem as it is', async () => {
    const { page } = await open(HOST)
    const operation = page.locator('#operations-User-user_buy_item')
    await operation.locator('.opblock-summary-control').click()
    await operation.locator('tr[data-param-name="key"] input').fill('ghost')
    await operation.locator('button.execute').click()
    const answer = operation.locator('.live-responses-table .response').first()
    expect(await answer.locator('.response-col_status').textContent()).toContain('404')
    expect(await answer.locator('.response-col_description').textContent()).toContain('entity_not_found')
  })
})
