import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import process from 'node:process'

/** What the figures depend on, by name; nothing that names the machine or a folder on it. */
export type Machine = Readonly<Record<string, string>>

const packages = ['fastify', '@platformatic/kafka', 'kafkajs']

/** To be asked before the run: the load is then that of others, and says how far the figures can be trusted. */
export function describeMachine(kafka: string | undefined): Machine {
  const [first] = cpus()
  return {
    Date: new Date().toISOString().slice(0, 10),
    Machine: `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
    'Load average before the run': (loadavg()[0] ?? 0).toFixed(1),
    Node: process.versions.node,
    ...(kafka === undefined ? {} : { Kafka: kafka }),
    Packages: packages.map((name) => `${name} ${versionOf(name)}`).join(', '),
  }
}

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : '?'
}
