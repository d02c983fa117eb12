import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { describeInvocationStore } from '../conformance/invocation-store.ts'
import { freePort } from '../helpers/free-ports.ts'
import { root } from '../helpers/gateway-process.ts'
import { runningRecord, storedAnswer } from '../helpers/invocation-records.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, type RedisServerOptions, startRedis } from '../helpers/redis-server.ts'
import { makeRedisStore, makeReplicas } from '../helpers/redis-stores.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'

const reason = redisUnavailable()
const why = reason === undefined ? '' : ` [skipped: ${reason}]`
const answer = storedAnswer('{"done":true}')
const SLOTS = 16_384

/** What a test has opened, closed in reverse. */
const opened: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function start(options: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  opened.push(server.close)
  return server
}

/** One command to one server. */
async function tell(port: number, command: string, ...args: readonly (string | number)[]): Promise<unknown> {
  const client = new Redis({ host: '127.0.0.1', port, protocol: 2 })
  try {
    return await client.call(command, ...args)
  } finally {
    client.disconnect()
  }
}

/** The rights that the page asks for, for the keys of tests. */
function documentedRights(): readonly string[] {
  const page = readFileSync(join(root, 'docs/redis.md'), 'utf8')
  const [, everywhere, ofClusters] = /A user with `([^`]+)`[^`]+in a cluster also `([^`]+)`/.exec(page) ?? []
  return `${everywhere} ${ofClusters}`.replaceAll('PREFIX', 'test-*').split(' ')
}

/** Two masters that have half of the slots each. */
async function startCluster(): Promise<readonly [RedisServer, RedisServer]> {
  const args = ['--cluster-enabled', 'yes', '--cluster-config-file', 'FOLDER/nodes.conf', '--cluster-port']
  const [firstBus, secondBus] = await Promise.all([freePort(), freePort()])
  const first = await start({ args: [...args, String(firstBus)] })
  const second = await start({ args: [...args, String(secondBus)] })
  await tell(first.port, 'CLUSTER', 'ADDSLOTS', ...Array.from({ length: SLOTS / 2 }, (_, slot) => slot))
  await tell(second.port, 'CLUSTER', 'ADDSLOTS', ...Array.from({ length: SLOTS / 2 }, (_, slot) => slot + SLOTS / 2))
  await tell(first.port, 'CLUSTER', 'MEET', '127.0.0.1', second.port, secondBus)
  for (const { port } of [first, second]) {
    await until(
      'the cluster is whole',
      async () => String(await tell(port, 'CLUSTER', 'INFO')).includes('state:ok'),
      20_000,
    )
  }
  return [first, second]
}

describe.skipIf(reason !== undefined)(`a cluster${why}`, () => {
  let servers: readonly RedisServer[] = []
  beforeAll(async () => {
    servers = await startCluster()
    for (const { port } of servers)
      await tell(port, 'ACL', 'SETUSER', 'gateway', 'on', '>secret', ...documentedRights())
    // For all tests of the suite.
    opened.splice(0)
  }, 180_000)
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()))
  })

  describeInvocationStore(
    'the store in a cluster, by a user with the documented rights and no others,',
    (retentionMs) => {
      const url = `redis+cluster://gateway:secret@${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
      return makeReplicas({ url, retentionMs, timeoutMs: 10_000 })
    },
  )
})

describe.skipIf(reason !== undefined)(`sentinels${why}`, () => {
  it('lead to the new master after a failover', async () => {
    const master = await start({})
    const replica = await start({ args: ['--replicaof', '127.0.0.1', String(master.port)] })
    const folder = createTemporaryFolder()
    opened.push(() => folder.close())
    const sentinel = await start({
      configFile: [
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds mymaster 500',
        'sentinel failover-timeout mymaster 2000',
      ],
      args: ['--sentinel'],
    })
    const store = makeRedisStore({ url: `redis+sentinel://127.0.0.1:${sentinel.port}/mymaster` })
    opened.push(() => store.close())
    await store.start()
    await until('it is there', async () => (await store.health()).ok)
    const record = runningRecord()
    await store.open(record, undefined)
    await until('the replica is in step', async () =>
      String(await tell(replica.port, 'INFO', 'replication')).includes('master_link_status:up'),
    )
    await until(
      'the sentinel knows the replica',
      async () => String(await tell(sentinel.port, 'SENTINEL', 'REPLICAS', 'mymaster')).includes(String(replica.port)),
      20_000,
    )
    await master.kill()
    await until('the new master serves', () => store.finish(record.id, answer).catch(() => false), 30_000)
    expect(await store.read(record.id)).toMatchObject({ state: 'finished', answer })
  }, 90_000)
})

describe.skipIf(reason !== undefined)(`TLS${why}`, () => {
  it('is spoken with a certificate that our authority signed, and with no other', async () => {
    const folder = createTemporaryFolder()
    opened.push(() => folder.close())
    const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')]
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...['-keyout', key, '-out', cert, '-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ],
      { stdio: 'ignore' },
    )
    const redis = await start({})
    // Not every server is built with TLS; this is what stands before one that is not.
    const proxy = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (client) => {
      const server = connect(redis.port, '127.0.0.1')
      client.on('error', () => server.destroy())
      server.on('error', () => client.destroy())
      client.pipe(server).pipe(client)
    }).listen(0, '127.0.0.1')
    opened.push(() => proxy.close())
    await once(proxy, 'listening')
    const address = proxy.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const url = `rediss://127.0.0.1:${address.port}`
    const trusting = makeRedisStore({ url, ca: readFileSync(cert, 'utf8') })
    const wary = makeRedisStore({ url })
    opened.push(
      () => trusting.close(),
      () => wary.close(),
    )
    await Promise.all([trusting.start(), wary.start()])
    expect(await trusting.open(runningRecord(), randomUUID())).toEqual({ kind: 'opened' })
    expect(await wary.health()).toMatchObject({ ok: false, detail: expect.stringContaining('self-signed') })
  })
})
