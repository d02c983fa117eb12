import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import type { MetadataMethod } from '../../../src/entity-registry/metadata-schema.ts'
import { createStateflowDialect } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { stateflowUnavailable } from '../../helpers/stateflow-runtime.ts'
import { virtualEnvironment } from '../../helpers/stateflow-sources.ts'
import { demoEntities, entitiesWith, goldenSamples, invocationOf, recordOf } from './entities.ts'

const home = process.env.STATEFLOW_HOME
let python = ''
const script = new URL('describe_pickles.py', import.meta.url).pathname

const load = (pickles: readonly Buffer[]) =>
  spawnSync(python, [script, home ?? ''], {
    input: pickles.map((pickle) => `${pickle.toString('base64')}\n`).join(''),
    encoding: 'utf8',
    // Upstream’s folder stays as it is.
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  })

/** What upstream’s own classes say of what was unpickled into them. */
function describeAll(pickles: readonly Buffer[]): readonly unknown[] {
  const { status, stdout, stderr } = load(pickles)
  if (status !== 0) throw new Error(`${python} failed: ${stderr}`)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const reason = stateflowUnavailable()
const pickle = createStateflowDialect({ serializer: 'pickle', routing: 'dataflow', entities: demoEntities })

const take: MetadataMethod = {
  name: 'take',
  params: [
    { name: 'price', schema: { type: 'number' } },
    { name: 'count', schema: { type: 'integer', minimum: 0 } },
    { name: 'names', schema: { type: 'object', additionalProperties: { type: 'array', items: { type: 'number' } } } },
    { name: 'pair', schema: { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'number' }], items: false } },
    { name: 'maybe', schema: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
    { name: 'text', schema: { type: 'string' } },
    { name: 'many', schema: { type: 'array', items: { type: 'integer' } } },
  ],
  runtime: { request: 'InvokeStateful' },
}

const takeArgs = {
  price: 5,
  count: 2n ** 70n,
  names: { a: [1, 2.5], b: [] },
  pair: [1, 2],
  maybe: 3,
  text: `é😀\ud800${'x'.repeat(300)}`,
  many: [0, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, -1, -128, -(2 ** 31), -(2 ** 31) - 1, -(2n ** 63n), -255n],
}

describe.skipIf(reason !== undefined)(
  `pickles in upstream’s own classes${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    beforeAll(async () => {
      python = await virtualEnvironment('stateflow-venv', 'requirements.txt')
    }, 600_000)

    it('are the same objects as the recorded ones', () => {
      const samples = goldenSamples('pickle').filter(({ call }) => call.kind !== 'ping')
      const ours = describeAll(samples.map(({ call, id }) => recordOf(pickle, invocationOf(call, id)).value))
      const recorded = describeAll(samples.map(({ request }) => Buffer.from(request.valueBase64, 'base64')))
      expect(ours).toEqual(recorded)
      expect(ours).toHaveLength(21)
    })

    it('have the Python types that the schemas name', () => {
      const entities = entitiesWith([take])
      const dialect = createStateflowDialect({ entities })
      const call = { kind: 'call', entity: 'Thing', key: 'k', method: 'take', args: takeArgs } as const
      const [event] = describeAll([recordOf(dialect, invocationOf(call, 'id', entities)).value])
      expect(event).toMatchObject({ payload: { dict: { args: { _args: { dict: pythonArgs } } } } })
    })

    it('carry thousands of items and references', () => {
      const users = Array.from({ length: 2_500 }, (_, index) => `user-${index}`)
      const call = { kind: 'call', entity: 'User', key: 'k', method: 'simple_for_loop', args: { users } } as const
      const text = JSON.stringify(describeAll([recordOf(pickle, invocationOf(call, 'id')).value]))
      expect(new Set(text.match(/str 'user-\d+'/g)).size).toBe(2_500)
      expect(text.match(/InternalClassRef/g)?.length).toBeGreaterThanOrEqual(2_500)
    })
  },
)

const pythonArgs = {
  price: 'float 5.0',
  count: 'int 1180591620717411303424',
  names: { dict: { a: { list: ['float 1.0', 'float 2.5'] }, b: { list: [] } } },
  pair: { tuple: ['int 1', 'float 2.0'] },
  maybe: 'float 3.0',
  text: `str 'é😀\\ud800${'x'.repeat(300)}'`,
  many: {
    list: [
      ...['int 0', 'int 255', 'int 256', 'int 65535', 'int 65536', 'int 2147483647', 'int 2147483648', 'int -1'],
      ...['int -128', 'int -2147483648', 'int -2147483649', 'int -9223372036854775808', 'int -255'],
    ],
  },
}
