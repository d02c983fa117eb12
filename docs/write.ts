import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { stringifyExact } from '../src/entity-registry/exact-json.ts'
import { MetadataDocument } from '../src/entity-registry/metadata-schema.ts'
import { OverridesFile } from '../src/entity-registry/overrides.ts'
import { readConfig, settingList } from '../src/gateway/config.ts'
import { buildGateway } from '../src/gateway/gateway.ts'
import { type MetricDefinition, metrics } from '../src/gateway/observability/metric-definition.ts'
import { type ProblemKind, problemKinds } from '../src/routes/problem-codes.ts'

/**
 * Writes what is derived from the code: `npm run docs`. With `--check` it writes nothing and fails when a file is out of
 * date; a test does the same through `derivedFiles`.
 */

const root = join(import.meta.dirname, '..')

/** Every derived file by its path in the project. */
export async function derivedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/configuration.md', configurationPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/metrics.md', metricsPage()],
    ['docs/metadata.schema.json', `${JSON.stringify(MetadataDocument, null, 2)}\n`],
    ['docs/overrides.schema.json', `${JSON.stringify(OverridesFile, null, 2)}\n`],
    ['openapi/shop.json', await shopDocument()],
  ])
}

function configurationPage(): string {
  const rows = settingList.map(({ path, flag, env, kind, choices, fallback, description, secret, fileEnv }) => {
    const type = choices === undefined ? kind : choices.map((choice) => `\`${choice}\``).join(' ')
    const value = fallback === undefined || (Array.isArray(fallback) && fallback.length === 0) ? '' : `\`${fallback}\``
    const names = [env ?? [], fileEnv ?? [], env === undefined ? [] : flag]
      .flat()
      .map((name) => `\`${name}\``)
      .join('<br>')
    return `| \`${path}\` | ${names} | ${type} | ${value} | ${description}${secret ? ' Never printed.' : ''} |`
  })
  return `# Configuration

<!-- Written from src/gateway/settings.ts by \`npm run docs\`. -->

Each setting can be given in a config file (\`--config FILE\` or \`GATEWAY_CONFIG\`; JSON, with \`kafka.brokers\` as
\`{"kafka": {"brokers": […]}}\`), as an environment variable, and as a flag; the later wins. Lists are separated by commas in variables
and flags. An unknown flag or member of the file is an error. Variables may be other programs': of those that are none of the table's, only
a near miss of one is an error, and \`GATEWAY_\` before the whole name of one. What Kubernetes sets for a service is left alone
(\`GATEWAY_PORT=tcp://…\`, \`REDIS_SERVICE_HOST\`). \`stateflow-gateway serve --print-config\` shows what was understood.

| setting | variable, flag | type | default | meaning |
|---|---|---|---|---|
${rows.join('\n')}

## Several runtimes

\`\`\`json
{
  "metadata": ["entities/"],
  "runtimes": {
    "orders": { "adapter": "stateflow", "kafka": { "brokers": ["kafka-a:9092"] } },
    "stock": { "adapter": "stateflow", "kafka": { "brokers": ["kafka-b:9092"] }, "stateflow": { "serializer": "json" } }
  }
}
\`\`\`

Each metadata document says in \`runtime.name\` which of them serves its entities. What an instance leaves out is taken from the
settings of the same name in the table.
`
}

function errorsPage(): string {
  const rows = Object.entries<ProblemKind>(problemKinds)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(
      ([code, { status, title, source, outcome, retry, advice }]) =>
        `## \`${code}\`\n\n**${status} ${title}** · source \`${source}\` · outcome \`${outcome}\` · retry \`${retry}\`\n\n${advice}\n`,
    )
  return `# Errors

<!-- Written from src/routes/problem-codes.ts by \`npm run docs\`. -->

Every answer that is not a success is \`application/problem+json\` (RFC 9457). Beside the standard's members it has

- \`code\`: what to switch on; \`type\` is \`/-/problems/{code}\` and resolves to what stands here;
- \`outcome\`: whether the call may have happened: \`not_sent\` (surely not), \`rejected\` (the runtime refused, without effect), \`raised\` (the
  method ran and failed), \`unknown\` (nobody can say);
- \`retry\`: \`safe\` (send it again), \`after\` (again, once \`Retry-After\` has passed), \`same_key\` (it may have run: only with the idempotency
  key that it had, and without one not before you know what became of it), \`never\` (it would fail again);
- \`source\`: \`gateway\`, \`broker\`, \`runtime\` or \`method\`;
- \`invocationId\`, \`errors\` (\`pointer\` and \`detail\` of each wrong place), \`hint\` and \`error\` where there are any.

${rows.join('\n')}`
}

function metricsPage(): string {
  const rows = Object.values<MetricDefinition>(metrics).map(({ name, kind, labels, help, together }) => {
    const shown = [...labels.map((label) => `\`${label}\``), together === 'each' ? '(`worker`)' : []].flat().join(' ')
    return `| \`${name}\` | ${kind} | ${shown} | ${help} |`
  })
  const least = Object.values<MetricDefinition>(metrics).filter(({ together }) => together === 'least')
  return `# Metrics

<!-- Written from src/gateway/observability/metric-definition.ts by \`npm run docs\`. -->

What \`GET /-/metrics\` shows, in Prometheus's text format. [Observability](observability.md) says how to use it. A label is empty where
it does not apply, which Prometheus takes for not being there. With [workers](workers.md), metrics that say \`worker\` have that label beside the
others; the rest are sums, but of ${least.map(({ name }) => `\`${name}\``).join(', ')} the least is shown.

| metric | kind | labels | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}

/** The demo's OpenAPI document; the version is left out, so that a release does not change it. */
async function shopDocument(): Promise<string> {
  const { config } = readConfig({ env: {}, argv: [] })
  const gateway = await buildGateway({ config, connect: false })
  const document = gateway.app.swagger()
  await gateway.close()
  return `${stringifyExact({ ...document, info: { ...document.info, version: 'demo' } }, 2)}\n`
}

if (import.meta.main) {
  const check = process.argv.includes('--check')
  for (const [path, text] of await derivedFiles()) {
    const file = join(root, path)
    if (!check) writeFileSync(file, text)
    else if (readFileSync(file, 'utf8') !== text) {
      process.stderr.write(`${path} is out of date: run "npm run docs".\n`)
      process.exitCode = 1
    }
  }
}
