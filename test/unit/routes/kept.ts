import type { Response } from 'light-my-request'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import type { Invocation, Outcome } from '../../../src/runtime-adapters/contract.ts'
import { buildScriptedApp, type Script, type ScriptedApp } from '../../helpers/scripted-app.ts'

/** What the tests of kept invocations share: an app, ways to ask it, and a runtime that can be held back. */

const account: MetadataDocument['entities'][number] = {
  name: 'Account',
  key: { name: 'id', schema: { type: 'string' } },
  state: { id: { type: 'string' }, balance: { type: 'integer' } },
  create: { params: [{ name: 'id', schema: { type: 'string' } }] },
  methods: [
    {
      name: 'add',
      params: [
        { name: 'x', schema: { type: 'integer' } },
        { name: 'more', schema: { type: 'object' }, required: false },
      ],
      returns: { type: 'integer' },
    },
    { name: 'take', params: [{ name: 'x', schema: { type: 'integer' } }], returns: { type: 'integer' } },
    { name: 'clear', params: [], returns: { type: 'null' } },
  ],
}

export function build(changes: Partial<Script> = {}): ScriptedApp {
  return buildScriptedApp({ entities: [account], ...changes })
}

export interface Asking {
  readonly url?: string
  readonly payload?: string
  readonly prefer?: string | readonly string[] | undefined
  readonly key?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export function ask({ app }: ScriptedApp, asking: Asking = {}): Promise<Response> {
  const { url = '/account/a/add', payload = '{"x":1}', prefer, key, headers = {} } = asking
  return app.inject({
    method: 'POST',
    url,
    payload,
    headers: {
      'content-type': 'application/json',
      ...(prefer === undefined ? {} : { prefer: typeof prefer === 'string' ? prefer : [...prefer] }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
  })
}

export function answered(value: unknown): Outcome {
  return { kind: 'returned', value }
}

export function location({ headers }: Response): string | undefined {
  return typeof headers.location === 'string' ? headers.location : undefined
}

export interface HeldBack {
  readonly answer: (invocation: Invocation) => Promise<Outcome>
  /** The runtime has the calls. */
  accept(): void
  settle(outcome: Outcome): void
}

/** A runtime that answers when the test says so. */
export function heldBack({ accepted = false }: { readonly accepted?: boolean } = {}): HeldBack {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const accepting: (() => void)[] = []
  return {
    answer(invocation) {
      accepting.push(() => invocation.onAccepted?.())
      if (accepted) invocation.onAccepted?.()
      return promise
    },
    accept() {
      for (const accept of accepting) accept()
    },
    settle: resolve,
  }
}

/** A while in which something that needs no time would have happened. */
export function late(): Promise<'late'> {
  return new Promise((resolve) => setTimeout(resolve, 30, 'late'))
}
