import type { MetadataMethod } from '../../src/entity-registry/metadata-schema.ts'
import {
  done,
  egress,
  missing,
  type ScriptedEndpoint,
  spec,
  startScriptedEndpoint,
  stateIn,
  textOf,
  writes,
} from '../unit/statefun-endpoint/scripted-endpoint.ts'

/** A function that counts, behind a real endpoint; its state is in the gateway. */
export interface CounterFunction {
  readonly url: string
  /** Calls wait for `release` from now on. */
  hold(): void
  release(): void
  close(): Promise<void>
}

interface Request {
  readonly correlation_id: string
  readonly method: string
}

export async function startCounterFunction(): Promise<CounterFunction> {
  let gate: PromiseWithResolvers<void> | undefined
  const endpoint: ScriptedEndpoint = await startScriptedEndpoint(async (batch) => {
    const before = stateIn(batch, 'count')
    if (before === null) return missing(spec('count'))
    await gate?.promise
    let count = Number(before ?? 0)
    const answers = batch.invocations.map(({ argument }) => {
      // The gateway's own encoder wrote it.
      const { correlation_id, method } = JSON.parse(textOf(argument) ?? '') as Request
      if (method === 'add') count++
      return egress(correlation_id, JSON.stringify({ correlation_id, ok: true, result: count }))
    })
    return done({ stateMutations: [writes('count', String(count))], outgoingEgresses: answers })
  })
  return {
    url: endpoint.url,
    hold() {
      gate ??= Promise.withResolvers()
    },
    release() {
      gate?.resolve()
      gate = undefined
    },
    close: () => endpoint.close(),
  }
}

const returns = { type: 'integer' }
const methods: readonly MetadataMethod[] = [
  { name: 'add', params: [], returns },
  { name: 'look', params: [], returns },
]

/** Of an entity `Counter` with those of the methods. */
export function counterMetadata(url: string, names: readonly string[] = ['add', 'look'], more: object = {}) {
  const runtime = { function: 'test/counter', topic: 'counter', valueType: 'test/text', replyTopics: ['replies'] }
  const counter = {
    name: 'Counter',
    key: { name: 'id', schema: { type: 'string' } },
    methods: methods.filter(({ name }) => names.includes(name)),
    runtime: { ...runtime, endpoints: [{ functions: 'test/*', urlPathTemplate: url }] },
    ...more,
  }
  return { formatVersion: 1, application: 'counting', runtime: { name: 'statefun-endpoint' }, entities: [counter] }
}
