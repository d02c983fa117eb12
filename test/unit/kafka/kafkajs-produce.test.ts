import { describe, expect, it } from 'vitest'
import { produceEach } from '../../../src/runtime-adapters/kafka/kafkajs-produce.ts'
import { testConnection } from '../../helpers/kafka-clients.ts'

/** What is said of a batch whose send fails after so many writes, to whichever brokers. */
async function verdictAfter(writes: number) {
  const count = { written: 7 }
  const send = async () => {
    count.written += writes
    throw new Error('read ECONNRESET')
  }
  const records = [{ topic: 't', key: Buffer.from('k'), value: Buffer.from('v') }]
  const context = { producer: { send }, connection: testConnection([]), count }
  return (await produceEach([{ topic: 't', partition: 0, records }], context))[0]
}

describe('a produce request of kafkajs that failed', () => {
  it('may be in the log when anything was written: kafkajs may know of another leader than we do', async () => {
    expect(await verdictAfter(1)).toEqual({ kind: 'unknown', detail: 'read ECONNRESET' })
  })

  it('is tried again when nothing was written', async () => {
    expect(await verdictAfter(0)).toEqual({ kind: 'try-again', detail: 'read ECONNRESET' })
  })
})
