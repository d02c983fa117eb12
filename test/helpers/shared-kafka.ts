import { inject } from 'vitest'
import { type Kafka, runningKafka, startKafka } from './kafka-broker.ts'

/**
 * The one broker of this test run: of `KAFKA_BROKERS`, else of the run's global setup, else one of this file's own.
 * Topics are shared too, so a test names its topics uniquely.
 */
export async function sharedKafka(): Promise<Kafka> {
  const given = process.env.KAFKA_BROKERS
  if (given !== undefined) return runningKafka(given.split(','))
  const url = inject('kafkaUrl')
  if (url === undefined) return startKafka()
  const response = await fetch(url)
  if (!response.ok) throw new Error(await response.text())
  // Our own global setup wrote this.
  const { brokers } = (await response.json()) as { brokers: string[] }
  return runningKafka(brokers)
}
