import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError, printableConfig, readConfig, settingList } from '../../../src/gateway/config.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(content: unknown): string {
  const file = join(folder, `${Math.random()}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function read(env: Record<string, string> = {}, argv: readonly string[] = []) {
  return readConfig({ env, argv }).config
}

function problemOf(env: Record<string, string>, argv: readonly string[] = []): string {
  try {
    read(env, argv)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

describe('readConfig', () => {
  it('has a default for everything that is needed', () => {
    expect(read()).toMatchObject({
      port: 8000,
      host: '127.0.0.1',
      runtime: 'embedded',
      kafka: { acks: 'all' },
      stateflow: { serializer: 'pickle' },
    })
  })

  it('lets flags win over variables, variables over the file, the file over defaults', () => {
    const file = fileWith({ port: 1, host: 'file', deadlineMs: 5, kafka: { clientId: 'file' } })
    const config = read({ GATEWAY_CONFIG: file, PORT: '2', HOST: 'env' }, ['--port', '3'])
    expect(config).toMatchObject({ port: 3, host: 'env', deadlineMs: 5, kafka: { clientId: 'file' } })
  })

  it('reads lists by commas and drops what is empty', () => {
    expect(read({ GATEWAY_METADATA: 'a.json, b/ ,', KAFKA_BROKERS: 'x:1,y:2' })).toMatchObject({
      metadata: ['a.json', 'b/'],
      kafka: { brokers: ['x:1', 'y:2'] },
    })
  })

  it('keeps arguments that are not flags', () => {
    expect(readConfig({ env: {}, argv: ['a.json', '--port', '1', 'b.json'] }).positionals).toEqual(['a.json', 'b.json'])
  })

  it('can’t be changed once it is read', () => {
    expect(Object.isFrozen(read().kafka.brokers)).toBe(true)
  })

  it.each([
    ['an unknown flag', {}, ['--prot', '1'], /there is no flag --prot\. Did you mean "-*port"\?/],
    ['a flag without its value', {}, ['--port'], /--port needs a value/],
    ['a misspelt variable', { KAFKA_BROKER: 'x:1' }, [], /no setting KAFKA_BROKER\. Did you mean "KAFKA_BROKERS"\?/],
    ['text for an integer', { PORT: 'eighty' }, [], /PORT, --port: "eighty" is not an integer/],
    ['a port out of range', { PORT: '70000' }, [], /PORT: the setting "port" must be <= 65535/],
    [
      'more milliseconds than a timer knows',
      { GATEWAY_BODY_TIMEOUT_MS: '2592000000' },
      [],
      /GATEWAY_BODY_TIMEOUT_MS: the setting "http.bodyTimeoutMs" must be <= 2147483647/,
    ],
    ['text for a boolean', { KAFKA_TLS: 'yes' }, [], /KAFKA_TLS, --kafka-tls: "yes" is neither "true" nor "false"/],
    [
      'an unknown choice',
      { KAFKA_ACKS: 'some' },
      [],
      /KAFKA_ACKS: the setting "kafka.acks" must be equal to one of the allowed values \(all, leader\)/,
    ],
    [
      'a broker without a port',
      { KAFKA_BROKERS: 'a:1,kafka' },
      [],
      /^KAFKA_BROKERS: "kafka" in the setting "kafka.brokers.1" must have the form HOST:PORT\.$/,
    ],
    ['no broker', { KAFKA_BROKERS: '' }, [], /^KAFKA_BROKERS: the setting "kafka.brokers" must NOT have fewer than 1/],
    [
      'a pattern of origins',
      { GATEWAY_CORS_ORIGINS: '*' },
      [],
      /^GATEWAY_CORS_ORIGINS: "\*" in the setting "http.corsOrigins.0" must have the form https:\/\/HOST\.$/,
    ],
    ['a value for --print-config', {}, ['--print-config=yes'], /^--print-config takes no value\.$/],
    ['a port as another program’s', { GATEWAY_PORT: '9999' }, [], /^there is no setting GATEWAY_PORT\. Use PORT\.$/],
    ['a setting with a prefix', { GATEWAY_LOG_LEVEL: 'warn' }, [], /no setting GATEWAY_LOG_LEVEL\. Use LOG_LEVEL\.$/],
    ['a near miss of REDIS_', { REDIS_URI: 'redis://a' }, [], /no setting REDIS_URI\. Did you mean "REDIS_URL"\?/],
    ['a near miss of LOG_', { LOG_REQUEST: 'true' }, [], /no setting LOG_REQUEST\. Did you mean "LOG_REQUESTS"\?/],
    ['a misspelt prefix', { MANAGMENT_PORT: '1' }, [], /no setting MANAGMENT_PORT\. Did you mean "MANAGEMENT_PORT"\?/],
    ['a swapped prefix', { KAKFA_BROKERS: 'x:1' }, [], /no setting KAKFA_BROKERS\. Did you mean "KAFKA_BROKERS"\?/],
    ['a file that is not there', { GATEWAY_CONFIG: '/no/such/file.json' }, [], /\/no\/such\/file\.json: ENOENT/],
  ])('refuses %s', (_what, env, argv, message) => {
    expect(problemOf(env, argv)).toMatch(message)
  })

  it('refuses unknown members of the file, with the nearest known one', () => {
    expect(problemOf({ GATEWAY_CONFIG: fileWith({ kafka: { broker: ['x:1'] } }) })).toMatch(
      /there is no setting "kafka.broker"\. Did you mean "brokers"\?/,
    )
    expect(problemOf({ GATEWAY_CONFIG: fileWith({ runtimes: { a: { adapter: 'stateflw' } } }) })).toMatch(
      /"runtimes.a.adapter" must be equal/,
    )
    expect(problemOf({ GATEWAY_CONFIG: fileWith('{"port": ') })).toMatch(/JSON/)
  })

  it.each(['null', '5', '"x"', '[]'])('refuses a file that is %s', (content) => {
    expect(problemOf({ GATEWAY_CONFIG: fileWith(content) })).toMatch(/^\S+\.json: it is no JSON object\.$/)
  })

  it.each([[5], [null], [[]]])('refuses a file whose group of settings is %j', (kafka) => {
    expect(problemOf({ GATEWAY_CONFIG: fileWith({ kafka, port: 70_000 }) }).split('\n')).toEqual([
      'the setting "kafka" must be an object.',
      expect.stringContaining('"port"'),
    ])
    expect(problemOf({ GATEWAY_CONFIG: fileWith({ access: { jwt: kafka } }) })).toBe(
      'the setting "access.jwt" must be an object.',
    )
  })

  it.each(['kafka', 'stateflow', 'statefun', 'statefunEndpoint', 'embedded'])(
    'refuses unknown members of an instance’s %s too',
    (group) => {
      const file = fileWith({ runtimes: { a: { adapter: 'stateflow', [group]: { brokerz: [] } } } })
      expect(problemOf({ GATEWAY_CONFIG: file })).toMatch(`there is no setting "runtimes.a.${group}.brokerz".`)
    },
  )

  it('names the form that an instance’s setting must have', () => {
    const file = fileWith({ runtimes: { a: { adapter: 'stateflow', kafka: { brokers: ['kafka'] } } } })
    expect(problemOf({ GATEWAY_CONFIG: file })).toBe(
      '"kafka" in the setting "runtimes.a.kafka.brokers.0" must have the form HOST:PORT.',
    )
  })

  it.each(['Orders', 'or_ders', '2'])('refuses %s as the name of an instance, whatever it holds', (name) => {
    expect(problemOf({ GATEWAY_CONFIG: fileWith({ runtimes: { [name]: { adapter: 'stateflw' } } }) })).toBe(
      `"${name}" in the setting "runtimes" must have the form orders-2 (small letters, digits, dashes).`,
    )
  })

  it.each(['HOST', 'MANAGEMENT_HOST'])('refuses an empty %s, by which Node would listen everywhere', (name) => {
    expect(problemOf({ [name]: '' })).toContain(`${name}: the setting`)
  })

  it('leaves other programs’ variables alone', () => {
    expect(
      problemOf({
        KAFKA_HEAP_OPTS: '-Xmx1g',
        KAFKA_PORT: 'tcp://10.0.0.1:9092',
        STATEFLOW_HOME: '/src',
        KAFKA_LOG4J: 'x',
        REDIS_HOST: 'a',
        REDIS_SSL: 'true',
        REDIS_PASSWORD: 'b',
        LOG_FILE: 'c',
        HOSTNAME: 'd',
        PATH: '/bin',
      }),
    ).toBe('')
  })

  it.each(['GATEWAY', 'REDIS', 'KAFKA', 'MANAGMENT'])('leaves alone what Kubernetes sets for a service %s', (name) => {
    expect(
      problemOf({
        [`${name}_PORT`]: 'tcp://10.0.0.1:6379',
        [`${name}_SERVICE_HOST`]: '10.0.0.1',
        [`${name}_SERVICE_PORT`]: '6379',
        [`${name}_SERVICE_PORT_HTTP`]: '6379',
        [`${name}_PORT_6379_TCP`]: 'tcp://10.0.0.1:6379',
        [`${name}_PORT_6379_TCP_ADDR`]: '10.0.0.1',
        [`${name}_PORT_6379_TCP_PORT`]: '6379',
        [`${name}_PORT_6379_TCP_PROTO`]: 'tcp',
      }),
    ).toBe('')
  })

  it('tells of every problem at once', () => {
    expect(problemOf({ PORT: 'x', KAFKA_ACKS: 'y' }, ['--nope', '1']).split('\n').length).toBeGreaterThanOrEqual(3)
  })
})

describe('printableConfig', () => {
  it('masks secrets, those of instances too, and nothing else', () => {
    const file = fileWith({ runtimes: { a: { adapter: 'stateflow', kafka: { saslPassword: 'hidden-2' } } } })
    const text = printableConfig(
      read({ KAFKA_SASL_PASSWORD: 'hidden-1', KAFKA_SASL_USERNAME: 'me', GATEWAY_CONFIG: file }),
    )
    expect(text).not.toMatch(/hidden/)
    expect(JSON.parse(text)).toMatchObject({
      kafka: { saslPassword: '********', saslUsername: 'me' },
      runtimes: { a: { kafka: { saslPassword: '********' } } },
    })
  })

  it('masks who is named in a URL', () => {
    const endpoints = ['shop/*=http://me:hidden-1@one/a@b', 'http://two']
    const text = printableConfig(
      read({ GATEWAY_JWKS_URL: 'https://me:hid@den-2@issuer/keys', STATEFUN_ENDPOINTS: endpoints.join(',') }),
    )
    expect(text).not.toMatch(/hid|den-/)
    expect(JSON.parse(text)).toMatchObject({
      access: { jwt: { jwksUrl: 'https://********@issuer/keys' } },
      statefunEndpoint: { endpoints: ['shop/*=http://********@one/a@b', 'http://two'] },
    })
  })
})

describe('the settings', () => {
  it('have a description each, and a variable and flag of their own', () => {
    for (const { path, description } of settingList) expect(description, path).toMatch(/\w.*\.$/)
    const variables = settingList.flatMap(({ env }) => env ?? [])
    expect(new Set(variables).size).toBe(variables.length)
    expect(new Set(settingList.map(({ flag }) => flag)).size).toBe(settingList.length)
  })

  it('have no more milliseconds than a timer knows, but where they are only compared', () => {
    const compared = ['retentionMs', 'reload.sunsetMs', 'access.jwt.jwksCooldownMs', 'access.jwt.jwksMaxAgeMs']
    const paths = settingList.flatMap(({ path }) => (/Ms$/.test(path) ? path : []))
    const tooMany = (path: string) => [settingList.find((one) => one.path === path)?.flag ?? '', '2147483648']
    expect(paths.filter((path) => problemOf({}, tooMany(path)) === '')).toEqual(compared)
  })
})
