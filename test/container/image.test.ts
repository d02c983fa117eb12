import { chownSync, existsSync, globSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type GatewayProcess, root } from '../helpers/gateway-process.ts'
import { callerOf } from '../helpers/shop-transcript.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'
import { buildah, buildahUnavailable, buildImage, ensureBaseImage } from './buildah.ts'
import { callUntilStopped } from './calls-under-stop.ts'
import { type ImageConfig, type Inspected, imageConfigOf, inspectImage } from './image-config.ts'
import { firstProcess, type MountedImage, mountImage, removeTools, runImage } from './image-process.ts'

/** docker/Dockerfile as it is, built and run without an engine. What an engine adds (cgroups, seccomp, networks) is not tested. */

const unavailable = buildahUnavailable()
const dockerfile = join(root, 'docker/Dockerfile')
const TAG = 'localhost/stateflow-gateway:test'
const CONNECTIONS = 64

let folder: TemporaryFolder
let image: MountedImage
let inspected: Inspected
let config: ImageConfig
const running: GatewayProcess[] = []

beforeAll(async () => {
  if (unavailable !== undefined) return
  const [, base = ''] = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(dockerfile, 'utf8')) ?? []
  await ensureBaseImage(base)
  buildImage(dockerfile, root, TAG)
  inspected = inspectImage(TAG)
  config = imageConfigOf(inspected)
  image = mountImage(TAG)
  removeTools(image)
  folder = createTemporaryFolder()
  folder.write('entities/counter.ts', COUNTER)
  mkdirSync(join(folder.path, 'data'))
  chownSync(join(folder.path, 'data'), config.uid, config.gid)
}, 1_200_000)
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()))
})
afterAll(() => {
  image?.close()
  folder?.close()
  // Earlier builds, whose name this one has taken.
  if (unavailable === undefined) buildah('rmi', '--prune')
})

function run(env: Readonly<Record<string, string>> = {}, command = config.command): GatewayProcess {
  const volumes = { '/app/entities': join(folder.path, 'entities'), '/data': join(folder.path, 'data') }
  const settings = { GATEWAY_ENTITIES: '/app/entities/counter.ts', GATEWAY_DATA_FOLDER: '/data', ...env }
  const one = runImage({ image, config, command, volumes, env: settings })
  running.push(one)
  return one
}

const suite = unavailable === undefined ? 'the image' : `the image [${unavailable}]`
describe.skipIf(unavailable !== undefined)(suite, () => {
  it('says how it is run: no root, no shell, SIGTERM, a health check, what it is', () => {
    expect(config).toMatchObject({ uid: 1000, gid: 1000, stopSignal: 'SIGTERM' })
    expect(config.command).toEqual(['node', '/app/dist/gateway/bin.mjs', 'serve'])
    expect(config.healthcheck).toEqual(['node', '/app/dist/gateway/bin.mjs', 'healthcheck'])
    expect(config.labels['org.opencontainers.image.licenses']).toBe('Apache-2.0')
  })

  it('holds what runs in production and nothing else, none of it writable for its user', () => {
    const app = join(image.path, 'app')
    for (const there of [
      'dist/gateway/bin.mjs',
      'node_modules/fastify/LICENSE',
      'LICENSE',
      'docs/metadata.schema.json',
    ])
      expect([there, existsSync(join(app, there))]).toEqual([there, true])
    for (const absent of ['src', 'test', 'node_modules/vitest', 'node_modules/typescript', 'node_modules/.bin'])
      expect([absent, existsSync(join(app, absent))]).toEqual([absent, false])
    const { uid, gid, mode } = statSync(join(app, 'dist/gateway/bin.mjs'))
    expect({ uid, gid, writable: mode & 0o022 }).toEqual({ uid: 0, gid: 0, writable: 0 })
  })

  it('brings a bill of materials that names exactly the packages in it', () => {
    const { components } = JSON.parse(readFileSync(join(image.path, 'app/sbom.cdx.json'), 'utf8')) as {
      components: readonly { 'bom-ref': string }[]
    }
    const listed = components.map((one) => one['bom-ref'].replace(/^.*#/, ''))
    const installed = globSync('**/package.json', { cwd: join(image.path, 'app/node_modules') })
      .map((file) => `node_modules/${dirname(file)}`)
      .filter((folder) => /node_modules\/(@[^/]+\/)?[^/]+$/.test(folder) && !folder.includes('/stateflow-gateway'))
    expect(listed.sort()).toEqual(installed.sort())
  })

  it('answers as its own user with a read-only root, no capability and no program but Node', async () => {
    const gateway = run({ PORT: '0' })
    const call = callerOf(loopback(await gateway.url()))
    expect((await call('POST', '/counter', { name: 'a' })).status).toBe(201)
    expect((await call('POST', '/counter/a/add', { by: 2 })).body).toBe(2)
    const status = readFileSync(`/proc/${await firstProcess(gateway)}/status`, 'utf8')
    expect(status).toMatch(/^Uid:\s+1000\s+1000\s+1000\s+1000$/m)
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
    const program = "require('node:fs').writeFileSync('/app/written', '')"
    const written = run({}, ['node', '-e', program])
    expect(await written.exit()).not.toBe(0)
    expect(written.stderr()).toContain('EROFS')
  })

  it('is healthy while it serves, by the image’s own command, and unhealthy when nobody answers', async () => {
    const { port } = new URL(await run({ PORT: '0' }).url())
    expect(await run({ PORT: port }, config.healthcheck).exit()).toBe(0)
    expect(await run({ PORT: port }, [...config.healthcheck, 'ready']).exit()).toBe(0)
    const nobody = run({ PORT: '1' }, config.healthcheck)
    expect(await nobody.exit()).toBe(1)
    expect(nobody.stderr()).toContain('ECONNREFUSED')
  })

  it('drops no call when it is stopped under load, and exits with 0', async () => {
    const gateway = run({ PORT: '0' })
    const url = loopback(await gateway.url())
    expect((await callerOf(url)('POST', '/counter', { name: 'loaded' })).status).toBe(201)
    const calls = callUntilStopped(`${url}/counter/loaded/add`, { by: 1 }, CONNECTIONS)
    await until('every connection has called', () => calls.succeeded() > 4 * CONNECTIONS)
    process.kill(await firstProcess(gateway), config.stopSignal)
    const fates = await calls.lastFates
    expect(await gateway.exit()).toBe(0)
    expect(fates.filter(({ kind }) => kind === 'dropped')).toEqual([])
    expect(fates.filter((fate) => fate.kind === 'answered' && fate.status !== 503)).toEqual([])
    const again = callerOf(loopback(await run({ PORT: '0' }).url()))
    expect((await again('GET', '/counter/loaded/value')).body).toBe(calls.succeeded())
  })

  it('can be stopped while it is still starting', async () => {
    folder.write('entities/slow.ts', SLOW)
    const gateway = run({ PORT: '0', GATEWAY_ENTITIES: '/app/entities/slow.ts' })
    await gateway.said('still starting')
    process.kill(await firstProcess(gateway), config.stopSignal)
    expect(await gateway.exit()).toBe(0)
  })

  it.each([
    ['names no user', { User: '' }, 'not UID:GID'],
    ['would run as root', { User: '0:0' }, 'not UID:GID'],
    ['names its user by a word', { User: 'node' }, 'not UID:GID'],
    [
      'has a health check that needs a shell',
      { Healthcheck: { Test: ['CMD-SHELL', 'node healthcheck'] } },
      'CMD-SHELL',
    ],
  ])('would be refused if it %s', (_what, change, message) => {
    expect(() => imageConfigOf({ Docker: { config: { ...inspected.Docker.config, ...change } } })).toThrow(message)
  })
})

/** It listens on every address and prints the first. */
function loopback(url: string): string {
  return `http://127.0.0.1:${new URL(url).port}`
}

const COUNTER = `
import { defineEntity, Int64, Type } from 'stateflow-gateway/embedded'

export const Counter = defineEntity({
  name: 'Counter',
  key: 'name',
  state: Type.Object({ name: Type.String(), value: Int64() }),
  create: { params: { name: Type.String() }, init: ({ name }) => ({ name, value: 0n }) },
  methods: (method) => ({
    add: method({ params: { by: Int64() }, returns: Int64() }, (self, { by }) => {
      self.value += by
      return self.value
    }),
  }),
})
`

/** A module that never ends to load. */
const SLOW = `
process.stdout.write('still starting')
setInterval(() => undefined, 1_000)
await new Promise(() => undefined)
`
