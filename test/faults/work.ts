/** What the load asks of the runtime, and how its answers are known to be right. */

export const ENTITY = 'Account'
export const METHOD = 'add'

/** Accounts that the calls are spread over: enough that several calls wait for one. */
const ACCOUNTS = 40

export const accountOf = (index: number): string => `account-${index % ACCOUNTS}`

/** `add` returns the account's new sum, so every execution on one account has an answer of its own. */
export const metadata = {
  formatVersion: 1,
  application: 'faults',
  runtime: { name: 'stateflow', namespace: 'global' },
  entities: [
    {
      name: ENTITY,
      description: 'Sums what is added to it.',
      key: { name: 'name', schema: { type: 'string' } },
      state: { name: { type: 'string' }, sum: { type: 'integer' } },
      create: { params: [{ name: 'name', schema: { type: 'string' } }] },
      methods: [
        {
          name: METHOD,
          params: [
            { name: 'call', schema: { type: 'string' } },
            { name: 'amount', schema: { type: 'integer' } },
          ],
          returns: { type: 'integer' },
          readOnly: false,
          runtime: { request: 'InvokeStateful' },
        },
      ],
    },
  ],
} as const

/** How a call is put to a replica. */
export interface Work {
  pathOf(call: { readonly name: string; readonly index: number }): string
  bodyOf(call: { readonly name: string }): string
}

export const pathOf = (account: string): string => `/account/${account}/${METHOD}`
export const bodyOf = (call: string): string => JSON.stringify({ call, amount: 1 })

export const accountWork: Work = {
  pathOf: ({ index }) => pathOf(accountOf(index)),
  bodyOf: ({ name }) => bodyOf(name),
}

/** One execution, as the runtime itself wrote it down. */
export interface Execution {
  /** The call's name, from its arguments: the same for every attempt of one call. */
  readonly call: string
  /** What it returned, as the answer's body has it. */
  readonly value: number | string
  /** A reply that can be read has been acknowledged by the brokers. */
  readonly replied: boolean
}

/** How the worker misbehaves. */
export interface Mode {
  /** Milliseconds between an execution and its reply. */
  readonly delayMs: number
  /** How often each reply is sent. */
  readonly copies: number
  /** Every second reply is one that nobody can read. */
  readonly garbles: boolean
  /** Replies are kept back until this is false again. */
  readonly holds: boolean
}

export const wellBehaved: Mode = { delayMs: 0, copies: 1, garbles: false, holds: false }
