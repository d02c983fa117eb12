import type { HealthCheck } from '../../runtime-adapters/contract.ts'
import { type MetricReading, metricText } from '../observability/metric-reading.ts'
import type { Crew, Member } from './crew.ts'
import { lastingReadings, sumReadings } from './sum-readings.ts'

/** What all workers of a primary process say, as one gateway. */
export interface Together {
  /** Prometheus's text format. */
  metrics(): Promise<string>
  checks(): Promise<readonly HealthCheck[]>
  /** What it counted stays. */
  noteEnd(member: Member): void
}

export interface TogetherOptions {
  readonly crew: Pick<Crew, 'askAll' | 'servingCount' | 'haveAllServed'>
  readonly count: number
  /** The primary process's own numbers. */
  readonly own: () => readonly MetricReading[]
}

/** Milliseconds that a worker may take: checks that take longer have no good news. */
const ANSWER_MS = 1_200

export function createTogether({ crew, count, own }: TogetherOptions): Together {
  /** As they were at the last scrape, for workers that are slow or have ended since. */
  const lastSeen = new Map<Member, readonly MetricReading[]>()
  /** One may answer a scrape that it does not live to the end of. */
  const ended = new WeakSet<Member>()
  let departed: readonly MetricReading[] = []

  return {
    async metrics() {
      for (const { member, answer } of await crew.askAll('own-metrics', ANSWER_MS)) {
        if (answer !== undefined && !ended.has(member)) lastSeen.set(member, answer)
      }
      const pages = [...lastSeen].map(([{ number }, readings]) => ({ worker: String(number), readings }))
      pages.sort((one, other) => Number(one.worker) - Number(other.worker))
      return metricText(
        sumReadings([...pages, { worker: 'ended', readings: departed }, { worker: 'primary', readings: own() }]),
      )
    },
    async checks() {
      const answers = await crew.askAll('own-checks', ANSWER_MS)
      const all = answers.flatMap(({ member, answer = [] }) =>
        answer.map((check) => ({ number: member.number, check })),
      )
      const silent = answers.filter(({ answer }) => answer === undefined).map(({ member }) => member.number)
      return [...worstByName(all), crewCheck(crew, count, silent)]
    },
    noteEnd(member) {
      ended.add(member)
      const readings = lastingReadings(lastSeen.get(member) ?? [])
      departed = sumReadings([
        { worker: 'ended', readings: departed },
        { worker: 'ended', readings },
      ])
      lastSeen.delete(member)
    },
  }
}

interface CheckOfWorker {
  readonly number: number
  readonly check: HealthCheck
}

/** A check that fails at one worker fails for all: callers can't choose who answers them. */
function worstByName(all: readonly CheckOfWorker[]): readonly HealthCheck[] {
  const names = new Set(all.map(({ check }) => check.name))
  return [...names].flatMap((name) => {
    const same = all.filter(({ check }) => check.name === name)
    const failing = same.filter(({ check }) => !check.ok)
    const shown = failing.length === 0 ? same : failing
    const [first] = shown
    return first === undefined ? [] : { ...first.check, detail: detailOf(shown, shown.length === same.length) }
  })
}

/** What all say is said once. */
function detailOf(shown: readonly CheckOfWorker[], areAll: boolean): string {
  const details = new Set(shown.map(({ check }) => check.detail))
  if (areAll && details.size === 1) return [...details].join('')
  return shown.map(({ number, check }) => `worker ${number}: ${check.detail}`).join(' ')
}

/** One that is started again does not take the others out of service. */
function crewCheck(crew: TogetherOptions['crew'], count: number, silent: readonly number[]): HealthCheck {
  const { servingCount, haveAllServed } = crew
  const serve = `${servingCount} of ${count} serve.`
  const detail = silent.length === 0 ? serve : `${serve} Slow to answer: ${silent.join(', ')}.`
  return { name: 'workers', ok: servingCount === count && silent.length === 0, essential: !haveAllServed, detail }
}
