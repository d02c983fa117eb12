import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../helpers/gateway-process.ts'
import {
  createSchemaCheck,
  examplesOf,
  type OpenapiDocument,
  type Operation,
  operationsOf,
} from '../helpers/openapi-document.ts'
import { runCommand } from '../helpers/run-command.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { callerOf } from '../helpers/shop-transcript.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'

const file = join(root, 'openapi/shop.json')
// Its form is what the tests below look at.
const document = JSON.parse(readFileSync(file, 'utf8')) as OpenapiDocument
const operations = operationsOf(document)
const entityOperations = operations.filter(({ tags }) => !tags.includes('gateway'))
const check = createSchemaCheck(document)

/** Runs a tool of the development dependencies on this Node. */
function tool(name: string, args: readonly string[], cwd: string): Promise<string> {
  return runCommand(process.execPath, [join(root, 'node_modules/.bin', name), ...args], { cwd, timeoutMs: 60_000 })
}

let gateway: RunningGateway
let folder: TemporaryFolder
beforeAll(async () => {
  folder = createTemporaryFolder()
  gateway = await startGateway({})
})
afterAll(async () => {
  await gateway?.close()
  folder?.close()
})

describe('the shop’s document', () => {
  it('is linted without an error', async () => {
    const output = await tool('redocly', ['lint', file, '--config', join(root, 'openapi/redocly.yaml')], root)
    expect(output).toContain('Your API description is valid.')
  })

  it('has an operationId for each operation, and none twice', () => {
    const ids = operations.map(({ operationId }) => operationId)
    expect(ids.length).toBeGreaterThan(20)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !/^[a-z][a-z0-9_]*$/.test(id))).toEqual([])
  })

  it.each([
    ['any operation', () => true, ['400', '431', '500', '502', '503', '504']],
    ['an operation on one entity', ({ path }: Operation) => path.includes('{key}'), ['404', '414']],
    ['an operation with a body', ({ requestBody }: Operation) => requestBody !== undefined, ['413', '415']],
    ['creation', ({ operationId }: Operation) => operationId.startsWith('create_'), ['201', '409', '422']],
    ['reading', ({ operationId }: Operation) => operationId.startsWith('get_'), ['200', '304']],
  ])('declares the statuses of %s', (_what, isMeant, statuses) => {
    const meant = entityOperations.filter(isMeant)
    expect(meant.length).toBeGreaterThan(0)
    for (const { operationId, responses } of meant)
      expect([operationId, Object.keys(responses)]).toEqual([operationId, expect.arrayContaining(statuses)])
  })

  it('has an example for every body and every key, and each follows its schema', () => {
    for (const { operationId, parameters = [], requestBody } of entityOperations) {
      const required = parameters.filter((parameter) => parameter.required === true)
      const media = Object.values(requestBody?.content ?? {})
      for (const place of [...required, ...media]) {
        const examples = examplesOf(place)
        expect([operationId, examples.length > 0]).toEqual([operationId, true])
        for (const example of examples)
          expect([operationId, check(place.schema ?? {}, example)]).toEqual([operationId, []])
      }
    }
  })

  it('tells the truth: every operation, called by its examples, answers what is declared', async () => {
    const call = callerOf(gateway.url)
    const creators = entityOperations.filter(({ operationId }) => operationId.startsWith('create_'))
    const others = entityOperations.filter((operation) => !creators.includes(operation))
    // The users of the list in an example.
    for (const username of ['bob', 'carol']) await call('POST', '/user', { username })
    for (const operation of [...creators, ...others]) {
      const { operationId, verb, requestBody, responses } = operation
      const [body] = Object.values(requestBody?.content ?? {}).flatMap(examplesOf)
      const answer = await call(verb.toUpperCase(), pathOf(operation), body)
      const declared = responses[answer.status]
      expect([operationId, answer.status < 300, declared === undefined]).toEqual([operationId, true, false])
      const [type = ''] = answer.headers.get('content-type')?.split(';') ?? []
      const schema = declared?.content?.[type]?.schema
      if (answer.body === undefined) expect(schema).toBeUndefined()
      else expect([operationId, check(schema ?? { not: {} }, answer.body)]).toEqual([operationId, []])
    }
  })
})

/** The path with its examples filled in, and the required arguments of the query. */
function pathOf({ path, parameters = [] }: Operation): string {
  const required = parameters.filter((parameter) => parameter.required === true)
  const filled = required
    .filter((parameter) => parameter.in === 'path')
    .reduce((text, parameter) => text.replace(`{${parameter.name}}`, String(examplesOf(parameter)[0])), path)
  const query = required
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => `${parameter.name}=${examplesOf(parameter)[0]}`)
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`
}

describe('clients that are generated from it', () => {
  beforeAll(async () => {
    writeFileSync(join(folder.path, 'package.json'), '{"type":"module"}')
    const output = {
      client: 'fetch',
      target: 'orval.ts',
      baseUrl: gateway.url,
      override: { fetch: { forceSuccessResponse: false } },
    }
    folder.write('orval.config.cjs', `module.exports = ${JSON.stringify({ shop: { input: file, output } })}`)
    await Promise.all([
      tool('orval', ['--config', 'orval.config.cjs'], folder.path),
      tool('swagger-typescript-api', ['generate', '--path', file, '-o', folder.path, '-n', 'sta.ts'], folder.path),
    ])
    folder.write('program.ts', PROGRAM)
    folder.write('tsconfig.json', {
      compilerOptions: {
        target: 'ES2024',
        lib: ['ES2024', 'DOM', 'DOM.Iterable'],
        module: 'NodeNext',
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        allowImportingTsExtensions: true,
        types: [],
      },
      include: ['*.ts'],
    })
  })

  it('compile, with the types of the entities', async () => {
    await expect(tool('tsc', ['-p', '.'], folder.path)).resolves.toBe('')
  })

  it('refuse a wrong argument when they are compiled', async () => {
    const wrong =
      "import { userBuyItem } from './orval.ts'\nvoid userBuyItem('alice', { amount: 'two', item: 'laptop' })\n"
    const wrongFile = folder.write('wrong/wrong.ts', wrong.replace('./', '../'))
    const flags = [
      '--ignoreConfig',
      '--noEmit',
      '--skipLibCheck',
      '--module',
      'NodeNext',
      '--allowImportingTsExtensions',
    ]
    await expect(tool('tsc', [...flags, wrongFile], folder.path)).rejects.toThrow(
      "Type 'string' is not assignable to type 'number'",
    )
  })

  it('create, buy and read a problem from a running gateway', async () => {
    const program: { shop(url: string): Promise<unknown> } = await import(
      pathToFileURL(join(folder.path, 'program.ts')).href
    )
    expect(await program.shop(gateway.url)).toEqual({
      created: [201, 'client'],
      bought: true,
      balance: 4,
      ghost: { status: 404, code: 'entity_not_found', retry: 'never' },
      other: { stock: 8, code: 'entity_exists' },
    })
  })
})

/** Narrowed by status alone: a wrong schema would not compile. */
const PROGRAM = `
import { createItem, createUser, itemUpdateStock, userBuyItem, userGetBalance, userUpdateBalance } from './orval.ts'
import { Api, type Problem } from './sta.ts'

export async function shop(baseUrl: string) {
  const created = await createUser({ username: 'client' })
  if (created.status !== 201) throw new Error('alice was not created')
  await createItem({ item_name: 'pen', price: 3 })
  await itemUpdateStock('pen', { amount: 10 })
  await userUpdateBalance('client', { x: 9 })
  const bought = await userBuyItem('client', { amount: 2, item: 'pen' })
  if (bought.status !== 200) throw new Error('nothing was bought')
  const isBought: boolean = bought.data
  const balance = await userGetBalance('client', {})
  const ghost = await userBuyItem('ghost', { amount: 1, item: 'pen' })
  if (ghost.status !== 404) throw new Error('a ghost has bought a pen')
  const { status, code, retry } = ghost.data

  const api = new Api({ baseUrl })
  const { data: stock } = await api.item.getItemStock('pen')
  const refused: { error: Problem } = await api.user.createUser({ username: 'client' }).then(
    () => { throw new Error('created twice') },
    (answer) => answer,
  )
  return {
    created: [created.status, created.data.key],
    bought: isBought,
    balance: balance.data,
    ghost: { status, code, retry },
    other: { stock, code: refused.error.code },
  }
}
`
