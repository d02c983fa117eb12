import { afterEach, describe, expect, it, vi } from 'vitest'
import { main } from '../../../src/gateway/main.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'

const MODULE = new URL('../../../examples/statefun-typescript/module.yaml', import.meta.url).pathname

/** What the command writes, and its exit code. */
async function run(...argv: readonly string[]) {
  const written = { out: '', err: '' }
  const keep = (name: keyof typeof written) => (text: string | Uint8Array) => {
    written[name] += String(text)
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(keep('out'))
  vi.spyOn(process.stderr, 'write').mockImplementation(keep('err'))
  await main(['describe-module', ...argv])
  vi.restoreAllMocks()
  const code = process.exitCode ?? 0
  process.exitCode = 0
  return { ...written, code }
}

afterEach(() => vi.restoreAllMocks())

describe('describe-module', () => {
  it('prints the document alone on stdout, and what is to be done on stderr', async () => {
    const { out, err, code } = await run(MODULE)
    expect(JSON.parse(out).entities.map(({ runtime }: { runtime: object }) => runtime)).toMatchObject([
      { function: 'shop/user' },
      { function: 'shop/item' },
    ])
    expect([err.split('\n')[0], code]).toEqual(['note: Set KAFKA_BROKERS=127.0.0.1:9092.', 0])
  })

  it('takes a functions file in YAML or JSON', async () => {
    const folder = createTemporaryFolder()
    const entity =
      '{ name: User, key: { name: k, schema: { type: string } }, methods: [], runtime: { function: shop/user } }'
    const file = folder.write('functions.yaml', `runtime: { replyTopics: [r] }\nentities: [${entity}]\n`)
    expect(JSON.parse((await run(MODULE, '--functions', file)).out)).toMatchObject({
      runtime: { replyTopics: ['r'] },
      entities: [{ name: 'User', runtime: { topic: 'shop-user' } }],
    })
    folder.close()
  })

  it.each([
    ['no file', [], 2, /needs one file/],
    ['an unknown flag', [MODULE, '--function', 'x'], 2, /Unknown option '--function'/],
    ['a module that is not there', ['nowhere.yaml'], 1, /nowhere\.yaml/],
    ['a functions file that is not there', [MODULE, '--functions', 'nowhere.json'], 2, /nowhere\.json/],
  ])('says what is wrong with %s', async (_name, argv, code, text) => {
    expect(await run(...argv)).toEqual({ out: '', err: expect.stringMatching(text), code })
  })
})
