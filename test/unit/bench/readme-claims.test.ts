import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const results = readFileSync(join(root, 'bench/RESULTS.md'), 'utf8')

/** What the README says of speed and cost, and the rows of `bench/RESULTS.md` that bear it out. */
const claims: Readonly<Record<string, readonly string[]>> = {
  'Embedded, the gateway answers at least 0.6 times as many calls/s as bare Fastify that echoes.': [
    '3. calls/s, embedded ÷ echo, 256 under way',
    '3. calls/s, embedded ÷ echo, 64 under way',
  ],
  'Over Kafka, p50 of one call at a time is at most 1.5 times the raw round trip by the gateway’s own Kafka transport, without HTTP.':
    ['2. p50, gateway with StateFlow’s events ÷ raw round trip, one call at a time'],
  'Over Kafka, a call takes at most 2.2 times the CPU of one that bare Fastify echoes, with 256 under way; 3.3 times with 64.':
    ['1. CPU a call, gateway ÷ echo, 256 under way', '1. CPU a call, gateway ÷ echo, 64 under way'],
  'It answers at least 1.8 times as many calls/s as Spring’s `ReplyingKafkaTemplate` with 64 under way, and 6 times as many as Restate with 256.':
    ['2. calls/s, gateway ÷ spring, 64 under way', '2. calls/s, gateway ÷ restate, 256 under way'],
  'With calls coming at 70 % of what it can do, p99 is at most 10 times p50.': [
    '4. p99 ÷ p50, gateway at 70 % of its maximum',
  ],
  'It costs about twice the CPU for each call.': ['README. CPU a call, kafkajs ÷ platformatic, 64 under way'],
}

/** Words that nobody writes without making a claim of speed or cost. */
const CLAIM = /\b(CPU|calls\/s|calls a second|faster|slower|throughput|latency|p50|p99)\b/

describe('the README', () => {
  it('claims nothing of speed or cost that has no row in bench/RESULTS.md', () => {
    const lines = readme.split('\n').filter((line) => CLAIM.test(line))
    const unknown = lines.filter((line) => !Object.keys(claims).some((claim) => line.includes(claim)))
    expect(unknown).toEqual([])
  })

  it.each(Object.entries(claims))('“%s” is what the last run has shown', (claim, rows) => {
    expect(readme).toContain(claim)
    for (const row of rows) {
      const found = results.split('\n').find((line) => line.startsWith(`| ${row} `))
      expect(found).toMatch(/\| +yes +\|$/)
    }
  })
})
