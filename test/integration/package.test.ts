import { cpSync, globSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type GatewayProcess, root, startProcess } from '../helpers/gateway-process.ts'
import { runCommand } from '../helpers/run-command.ts'
import { callerOf, expectProblem } from '../helpers/shop-transcript.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'

/** The package as its users get it: packed, and installed where there is nothing else. */

const timeoutMs = 180_000
/** npm and what it starts must run on this Node, not on the system's. */
const env = { PATH: [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter) }
const tsc = join(root, 'node_modules/.bin/tsc')
let folder: TemporaryFolder
let app: string
const running: GatewayProcess[] = []

beforeAll(async () => {
  folder = createTemporaryFolder()
  app = join(folder.path, 'app')
  folder.write('app/package.json', { name: 'app', private: true, type: 'module' })
  await runCommand('npm', ['pack', '--pack-destination', folder.path], { cwd: root, env, timeoutMs })
  const [tarball = ''] = globSync('*.tgz', { cwd: folder.path })
  const flags = ['--no-audit', '--no-fund', '--prefer-offline']
  await runCommand('npm', ['install', ...flags, join(folder.path, tarball)], { cwd: app, env, timeoutMs })
}, timeoutMs)
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()))
})
afterAll(() => folder?.close())

function npx(...args: readonly string[]): Promise<string> {
  return runCommand('npx', ['stateflow-gateway', ...args], { cwd: app, env, timeoutMs: 20_000 })
}

function serve(settings: Readonly<Record<string, string>>): GatewayProcess {
  const program = join(app, 'node_modules/.bin/stateflow-gateway')
  const one = startProcess({ command: [program, 'serve'], cwd: app, env: { ...env, PORT: '0', ...settings } })
  running.push(one)
  return one
}

/** Compiles files of the app, the declarations of the package included. */
function compile(...files: readonly string[]): Promise<string> {
  const project = folder.write('app/tsconfig.json', {
    compilerOptions: {
      target: 'ES2024',
      module: 'NodeNext',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files,
  })
  return runCommand(process.execPath, [tsc, '-p', project], { cwd: app, timeoutMs: 60_000 })
}

describe('the installed package', () => {
  it('brings its programs, its licence, the page and schemas that it names, and nothing of the tests', () => {
    const files = globSync('**/*', { cwd: join(app, 'node_modules/stateflow-gateway'), exclude: ['**/node_modules'] })
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/gateway/bin.mjs', 'docs/configuration.md']),
    )
    expect(files).toEqual(expect.arrayContaining(['docs/metadata.schema.json', 'docs/overrides.schema.json']))
    expect(files.filter((file) => /^(src|test|bench|examples)\b|\.test\./.test(file))).toEqual([])
    const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(globSync('*.tgz', { cwd: folder.path })).toEqual([`stateflow-gateway-${version}.tgz`])
  })

  it('runs by npx: help, check, openapi', async () => {
    const metadata = join(root, 'test/golden/stateflow/demo.metadata.json')
    expect(await npx('--help')).toContain('stateflow-gateway serve [FLAGS]')
    expect(await npx('check', metadata)).toContain('ok: 2 entities, 7 methods')
    expect(await npx('openapi', metadata)).toContain('"description": "The gateway itself."')
  })

  it('says what to give when there are no entities', async () => {
    const gateway = serve({})
    expect(await gateway.exit()).toBe(1)
    expect(gateway.stderr()).toContain('Set GATEWAY_ENTITIES to the module that exports yours.')
  })

  it.each(['entities.mjs', 'entities.ts'])('serves entities of one’s own, from %s, with docs', async (name) => {
    folder.write(`app/${name}`, ENTITIES)
    const gateway = serve({ GATEWAY_ENTITIES: name })
    const url = await gateway.url()
    expect(gateway.stdout()).toContain('1 entity on runtime embedded')
    const call = callerOf(url)
    expect((await call('POST', '/counter', { name: 'clicks' })).status).toBe(201)
    expect((await call('POST', '/counter/clicks/add', { by: 2 })).body).toBe(2)
    expectProblem(await call('POST', '/counter/clicks/add', { by: 101 }), 409, 'method_raised', 'raised')
    expectProblem(await call('POST', '/counter/clicks/ad', {}), 404, 'route_not_found')
    for (const path of ['/docs', '/docs/static/swagger-ui-bundle.js', '/openapi.yaml'])
      expect((await fetch(`${url}${path}`)).status).toBe(200)
  })

  it('has types: entities, custom routes and the gateway as a library compile', async () => {
    folder.write('app/typed-entities.ts', ENTITIES)
    folder.write('app/program.ts', PROGRAM)
    await expect(compile('typed-entities.ts', 'program.ts')).resolves.toBe('')
  })

  it.each(['custom-routes.md'])('has types: the routes of docs/%s compile', async (page) => {
    const [, source = ''] = /^```ts\n(.*?)^```/ms.exec(readFileSync(join(root, 'docs', page), 'utf8')) ?? []
    expect(source).toContain('app.gateway')
    folder.write('app/documented-routes.ts', source)
    await expect(compile('documented-routes.ts')).resolves.toBe('')
  })

  it('prints the document of metadata that names no runtime', async () => {
    const metadata = join(root, 'examples/statefun-python/metadata.json')
    expect(await npx('openapi', metadata)).toContain('"description": "The gateway itself."')
  })

  it.each([
    [
      'a wrong argument',
      "call('buy_item', { amount: '2', item: 'laptop' })",
      "'string' is not assignable to type 'number'",
    ],
    ['a missing argument', "call('buy_item', { amount: 2 })", "Property 'item' is missing"],
    ['a misspelt method', "call('buy_itm', { amount: 2, item: 'laptop' })", `'"buy_itm"' is not assignable`],
  ])('makes %s a compile error once the entities are declared', async (_what, wrong, message) => {
    const good = "call('buy_item', { amount: 2, item: 'laptop' })"
    expect(PROGRAM).toContain(good)
    folder.write('app/wrong.ts', PROGRAM.replace(good, wrong))
    await expect(compile('wrong.ts')).rejects.toThrow(message)
  })

  it('is a library: a program builds a gateway with routes of its own', async () => {
    folder.write('app/entities.mjs', ENTITIES)
    folder.write('app/library.mjs', LIBRARY)
    const output = await runCommand(process.execPath, ['library.mjs'], { cwd: app, timeoutMs: 20_000 })
    expect(output).toBe('{"added":3}')
  })
})

describe('a fresh checkout', () => {
  it('serves entities of one’s own that stand beside its source, by what npm start runs', async () => {
    const checkout = join(folder.path, 'checkout')
    for (const name of ['src', 'package.json', 'embedded.mjs'])
      cpSync(join(root, name), join(checkout, name), { recursive: true })
    symlinkSync(realpathSync(join(root, 'node_modules')), join(checkout, 'node_modules'))
    folder.write('checkout/mine/entities.ts', ENTITIES)
    const settings = { GATEWAY_ENTITIES: 'mine/entities.ts', PORT: '0' }
    const { scripts }: { scripts: { start: string } } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    // Without npm between, which would leave the gateway behind when it is killed.
    const [program = '', ...args] = scripts.start.split(' ')
    const gateway = startProcess({ command: [program, ...args], cwd: checkout, env: { ...env, ...settings } })
    running.push(gateway)
    const call = callerOf(await gateway.url())
    expect((await call('POST', '/counter', { name: 'clicks' })).status).toBe(201)
    expectProblem(await call('POST', '/counter/clicks/add', { by: 101 }), 409, 'method_raised', 'raised')
  }, 60_000)
})

/** JavaScript and TypeScript alike. */
const ENTITIES = `
import { defineEntity, EntityError, Int64, Type } from 'stateflow-gateway/embedded'

export const Counter = defineEntity({
  name: 'Counter',
  key: 'name',
  state: Type.Object({ name: Type.String(), value: Int64() }),
  create: { params: { name: Type.String() }, init: ({ name }) => ({ name, value: 0n }) },
  methods: (method) => ({
    add: method(
      { params: { by: Int64() }, returns: Int64(), errors: { TooFar: { status: 409 } } },
      (self, { by }) => {
        if (by > 100n) throw new EntityError('TooFar', 'At most 100 at a time.')
        self.value += by
        return self.value
      },
    ),
  }),
})
`

const PROGRAM = `
import type { FastifyContextConfig } from 'fastify'
import { buildGateway, type CustomRoutes, readConfig } from 'stateflow-gateway'

declare module 'stateflow-gateway' {
  interface GatewayEntities {
    User: {
      create: { username: string }
      methods: { buy_item(args: { amount: number; item: string }): boolean }
    }
  }
}

const routes: CustomRoutes = async (app) => {
  app.get('/bought', async () => {
    const bought: boolean = await app.gateway.entity('User', 'a').call('buy_item', { amount: 2, item: 'laptop' })
    return { bought }
  })
  const config = { access: { scopes: ['report:read'] } } satisfies FastifyContextConfig
  app.get('/caller', { config }, async ({ caller }) => ({ name: caller.principal, mayRead: caller.scopes.has('report:read') }))
}
const { config } = readConfig({ env: {}, argv: [] })
const gateway = await buildGateway({ config, routes: [routes], logger: true })
await gateway.create('User', { username: 'alice' })
const state: unknown = await gateway.entity('NotDeclared', 1).call('anything', { at: 'all' })
await gateway.listen({ port: Number(state) })
await gateway.close()
`

const LIBRARY = `
import { buildGateway, readConfig } from 'stateflow-gateway'

const { config } = readConfig({ env: { GATEWAY_ENTITIES: 'entities.mjs' }, argv: [] })
const routes = async (app) => {
  app.get('/added', async () => ({ added: await app.gateway.entity('Counter', 'a').call('add', { by: 3 }) }))
}
const gateway = await buildGateway({ config, routes: [routes] })
await gateway.create('Counter', { name: 'a' })
const { body } = await gateway.app.inject('/added')
process.stdout.write(body)
await gateway.close()
`
