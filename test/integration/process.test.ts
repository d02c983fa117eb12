import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  binFile,
  type GatewayProcess,
  type ProcessOptions,
  root,
  runProcess,
  startProcess,
} from '../helpers/gateway-process.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'

const document = join(root, 'test/golden/stateflow/demo.metadata.json')
/** It leaves the runtime's name to the configuration. */
const unnamed = join(root, 'examples/statefun-python/metadata.json')
const running: GatewayProcess[] = []
let folder: TemporaryFolder

beforeEach(() => {
  folder = createTemporaryFolder()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()))
  folder.close()
})

function serve({ args = [], env = {}, ...options }: ProcessOptions = {}): GatewayProcess {
  const one = startProcess({ ...options, args: ['serve', ...args], env: { PORT: '0', ...env } })
  running.push(one)
  return one
}

describe('a start', () => {
  it('names runtime, entities, routes and docs in one JSON line when nobody looks at a terminal', async () => {
    const gateway = serve()
    const url = await gateway.url()
    const lines = gateway.stdout().trim().split('\n')
    const records = lines.map((line): { msg: string; level: number } => JSON.parse(line))
    const { paths } = await openapiOf(url)
    const routes = Object.values(paths).flatMap((path) => Object.keys(path)).length
    expect(records.at(-1)).toMatchObject({
      level: 30,
      msg: `2 entities on runtime embedded, ${routes} routes at ${url}; docs at ${url}/docs`,
    })
    expect((await fetch(`${url}/docs`)).status).toBe(200)
  })

  const script = '/usr/bin/script'
  it.skipIf(!existsSync(script))(
    `is readable in a terminal${existsSync(script) ? '' : ` [skipped: needs ${script}]`}`,
    async () => {
      // Without `exec` it would be the shell that ends, with its own word for an interrupt.
      const line = `exec ${process.execPath} ${binFile} serve`
      const gateway = startProcess({ command: [script, '-qec', line, '/dev/null'], env: { PORT: '0' } })
      running.push(gateway)
      await gateway.url()
      const plain = stripVTControlCharacters(gateway.stdout())
      expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: 2 entities on runtime embedded/m)
      expect(plain).not.toContain('{"level"')
      // Ends the terminal, and with it the gateway.
      gateway.child.stdin?.write('\x03')
      expect(await gateway.exit()).toBe(0)
    },
  )

  it('on a port that is taken says so in one line and exits with 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const gateway = serve({ env: { PORT: String(port), LOG_LEVEL: 'warn' } })
    expect(await gateway.exit()).toBe(1)
    expect(gateway.stderr()).toMatch(new RegExp(`^stateflow-gateway: .*EADDRINUSE.*:${port}\n$`))
    taken.close()
  })

  it.each([
    [
      'a metadata file that is not there',
      { args: ['--metadata', '/nowhere/entities.json'] },
      '/nowhere/entities.json: no such file, and no file matches. Check GATEWAY_METADATA.',
    ],
    [
      'metadata of a runtime that is not configured',
      { args: ['--metadata', document] },
      `${document}#/runtime/name: no runtime instance is called "stateflow". Configured: embedded. Set GATEWAY_RUNTIME`,
    ],
    [
      'an entities module that is not there',
      { env: { GATEWAY_ENTITIES: '/nowhere/entities.ts' } },
      '/nowhere/entities.ts: there is no such file. Set GATEWAY_ENTITIES to the module of your entities.',
    ],
    [
      'custom routes that are not there',
      { args: ['--routes', '/nowhere'] },
      'GATEWAY_ROUTES: there is no file or folder "/nowhere".',
    ],
    [
      'an entities module that is a folder',
      { env: { GATEWAY_ENTITIES: '/' } },
      '/: it is a folder. Set GATEWAY_ENTITIES to the module of your entities.',
    ],
    [
      'metadata of a runtime that GATEWAY_RUNTIME doesn’t name',
      { args: ['--metadata', unnamed] },
      'No entity "User" is defined, but the metadata names it. Set GATEWAY_RUNTIME to the runtime that has it.',
    ],
    [
      'overrides that are not there',
      { args: ['--overrides', '/nowhere.json'] },
      'GATEWAY_OVERRIDES: there is no file "/nowhere.json".',
    ],
    ['a data folder that is a file', { env: { GATEWAY_DATA_FOLDER: join(binFile, 'data') } }, 'ENOTDIR'],
  ])('with %s says so and exits with 1', async (_what, options, message) => {
    const gateway = serve(options)
    expect(await gateway.exit()).toBe(1)
    expect(gateway.stderr()).toMatch(/^stateflow-gateway: /)
    expect(gateway.stderr()).toContain(message)
    expect(gateway.stderr()).not.toContain('    at ')
  })
})

describe('a broker that can’t be reached', () => {
  it('ends the start with one line and exit code 1, whichever client', async () => {
    const ends = ['platformatic', 'kafkajs'].map(async (client) => {
      const env = { GATEWAY_RUNTIME: 'stateflow', KAFKA_BROKERS: '127.0.0.1:1', KAFKA_CLIENT: client }
      const gateway = serve({ args: ['--metadata', document], env: { ...env, LOG_LEVEL: 'fatal' } })
      return [await gateway.exit(), gateway.stdout(), gateway.stderr()]
    })
    const line = expect.stringMatching(
      /^stateflow-gateway: Kafka can't be reached at 127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/,
    )
    expect(await Promise.all(ends)).toEqual([
      [1, '', line],
      [1, '', line],
    ])
  }, 40_000)
})

describe('settings', () => {
  it('are printed as they were understood, with secrets masked', async () => {
    const config = folder.write('config.json', {
      kafka: { saslUsername: 'shop', saslPassword: 'first' },
      deadlineMs: 7,
    })
    const { code, stdout } = await runProcess({
      args: ['serve', '--print-config', '--config', config, '--kafka-brokers', 'a:9092,b:9092'],
      env: { KAFKA_SASL_PASSWORD: 'second' },
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      deadlineMs: 7,
      kafka: { brokers: ['a:9092', 'b:9092'], saslUsername: 'shop', saslPassword: '********' },
    })
    expect(stdout).not.toMatch(/first|second/)
  })

  it.each([
    ['an unknown flag', ['serve', '--prot', '1'], {}, 'there is no flag --prot. Did you mean "--port"?'],
    ['an argument that is not a flag', ['serve', 'entities.json'], {}, 'Metadata is given by --metadata.'],
    ['an unknown command', ['serv'], {}, 'there is no command "serv". Did you mean "serve"?'],
    [
      'a misspelt variable',
      ['serve'],
      { KAFKA_BROKER: 'a:9092' },
      'there is no setting KAFKA_BROKER. Did you mean "KAFKA_BROKERS"?',
    ],
    ['text for a number', ['serve'], { PORT: 'http' }, 'PORT, --port: "http" is not an integer.'],
  ])('%s is one line with a hint, and exit code 2', async (_what, args, env, message) => {
    const { code, stderr } = await runProcess({ args, env })
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('misspelt in a config file are all named at once, with hints', async () => {
    const config = folder.write('config.json', { prot: 1, kafka: { brokrs: ['a:9092'] } })
    const { code, stderr } = await runProcess({ args: ['serve'], env: { GATEWAY_CONFIG: config } })
    expect(code).toBe(2)
    expect(stderr).toContain('there is no setting "prot". Did you mean "port"?')
    expect(stderr).toContain('there is no setting "kafka.brokrs". Did you mean "brokers"?')
  })

  it.each([[['--help']], [['serve', '--help']], [['healthcheck', '--help']]])(
    'are explained by --help, wherever it stands: %j',
    async (args) => {
      const { code, stdout } = await runProcess({ args })
      expect(code).toBe(0)
      expect(stdout).toMatch(/serve \[FLAGS\].*\n.*check FILE.*\n.*diff OLD NEW.*\n.*openapi FILE/)
    },
  )
})

describe('--version', () => {
  it('prints the version of the package', async () => {
    const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(await runProcess({ args: ['--version'] })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe('check', () => {
  it('says ok and how much there is', async () => {
    expect(await runProcess({ args: ['check', document] })).toEqual({
      code: 0,
      stdout: 'ok: 2 entities, 7 methods\n',
      stderr: '',
    })
  })

  it('says of a folder without documents that it has none', async () => {
    const { code, stderr } = await runProcess({ args: ['check', join(root, 'src')] })
    expect([code, stderr]).toEqual([1, expect.stringContaining('/src: no *.json file is in this folder.')])
  })

  it('names the setting of overrides that are not there', async () => {
    const { code, stderr } = await runProcess({ args: ['check', document, '--overrides', '/nowhere.json'] })
    expect([code, stderr]).toEqual([1, 'stateflow-gateway: GATEWAY_OVERRIDES: there is no file "/nowhere.json".\n'])
  })

  it('names two methods that the operator has put on one path', async () => {
    const overrides = folder.write('same-path.json', { 'User.buy_item': { path: '/user/{key}/update_balance' } })
    const { code, stdout, stderr } = await runProcess({ args: ['check', document, '--overrides', overrides] })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(
      'POST /user/:key/update_balance would be both the method User.update_balance and the method User.buy_item.',
    )
  })

  it('names file, place and nearest name of every problem', async () => {
    const wrong = readFileSync(document, 'utf8')
      .replace('"methods"', '"metods"')
      .replace('"formatVersion": 1', '"formatVersion": 2')
    const file = folder.write('wrong.json', wrong)
    const { code, stderr, stdout } = await runProcess({ args: ['check', file] })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`${file}#/formatVersion: must be 1.`)
    expect(stderr).toContain(`${file}#/entities/0/metods: unknown member "metods". Did you mean "methods"?`)
  })
})

describe('openapi', () => {
  it('prints the document with no runtime configured, let alone running', async () => {
    const { code, stdout, stderr } = await runProcess({
      args: ['openapi', document],
      env: { KAFKA_BROKERS: '127.0.0.1:1' },
    })
    expect([code, stderr]).toEqual([0, ''])
    const { openapi, paths }: { openapi: string; paths: object } = JSON.parse(stdout)
    expect(openapi).toBe('3.1.0')
    expect(Object.keys(paths)).toContain('/user/{key}/buy_item')
  })

  it('ends well when its reader has enough', async () => {
    const line = `${process.execPath} ${binFile} openapi ${document} | head -c 1`
    const { stdout, stderr } = await runProcess({ command: ['/bin/sh', '-c', line] })
    expect([stdout, stderr]).toEqual(['{', ''])
  })

  it('has nothing of the demo shop in it, also where the document names no runtime', async () => {
    const { code, stdout, stderr } = await runProcess({ args: ['openapi', unnamed] })
    expect([code, stderr]).toEqual([0, ''])
    const named: { paths: object } = JSON.parse(stdout)
    expect(Object.keys(named.paths)).toContain('/item/{key}/update_stock')
    const entities = [{ name: 'Order', key: { name: 'id', schema: { type: 'string' } }, methods: [] }]
    const order = folder.write('order.json', { formatVersion: 1, application: 'orders', entities })
    const { paths }: { paths: object } = JSON.parse((await runProcess({ args: ['openapi', order] })).stdout)
    expect(Object.keys(paths).filter((path) => !path.startsWith('/-/'))).toEqual(['/order/{key}'])
  })
})

describe('an old Node', () => {
  const old = oldNode()
  it.skipIf(old === undefined)(
    `is told which version is needed${old === undefined ? ' [skipped: needs OLD_NODE, or a Node before 24 on the path]' : ''}`,
    async () => {
      const { code, stdout, stderr } = await runProcess({ command: [old ?? '', binFile], args: ['serve'] })
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(/^stateflow-gateway needs Node 24 or newer; this is Node \d+\.\d+\.\d+ \(/)
    },
  )
})

function oldNode(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((one) => !one.includes('node_modules'))
  const candidates = [
    ...(process.env.OLD_NODE === undefined ? [] : [process.env.OLD_NODE]),
    ...folders.map((one) => join(one, 'node')),
  ]
  return candidates.filter(existsSync).find((node) => {
    const major = Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }))
    return major < 24
  })
}

async function openapiOf(url: string): Promise<{ readonly paths: Readonly<Record<string, object>> }> {
  const response = await fetch(`${url}/openapi.json`)
  // The document's own tests look at its form.
  return (await response.json()) as Awaited<ReturnType<typeof openapiOf>>
}
