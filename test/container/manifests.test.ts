import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { readConfig } from '../../src/gateway/config.ts'
import { root } from '../helpers/gateway-process.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { composeEnvironment, composeFile } from './compose-file.ts'
import { installTools, runTool, toolsUnavailable } from './python-tools.ts'

/** The files of docker/ by the tools that know their forms. What a cluster would make of them is not tested. */

const unavailable = toolsUnavailable()
/** The oldest version whose clusters the manifests are for, and the newest that the tool knows. */
const kubernetesVersions = ['1.33.0', '1.37.0']
/** Milliseconds beyond the grace after which a gateway is gone in any case, by itself or by its primary process. */
const CLOSING_MS = 6_000
let tools: string
let folder: TemporaryFolder

function tool(name: string, ...args: readonly string[]) {
  return runTool(join(tools, name), args)
}

/** The kustomization as `kubectl apply -k` would send it. */
function rendered(): string {
  const { code, said } = tool('kubectl', 'kustomize', join(root, 'docker/kubernetes'))
  expect([code, said]).toEqual([0, expect.stringContaining('kind: Deployment')])
  return said
}

function validate(manifests: string, version: string) {
  return tool('kubernetes-validate', '--strict', '--quiet', '-k', version, folder.write('manifests.yaml', manifests))
}

const suite = unavailable === undefined ? 'the files of docker/' : `the files of docker/ [${unavailable}]`
describe.skipIf(unavailable !== undefined)(suite, () => {
  beforeAll(async () => {
    tools = await installTools()
    folder = createTemporaryFolder()
  }, 400_000)
  afterAll(() => folder?.close())

  it.each(['docker/Dockerfile', 'docker/stateflow/Dockerfile'])('hadolint finds nothing in %s', (file) => {
    expect(tool('hadolint', '--no-color', join(root, file))).toEqual({ code: 0, said: '' })
  })

  it('hadolint finds what is wrong with another', () => {
    const file = folder.write('Dockerfile', 'FROM node\nCMD node server.js\n')
    expect(tool('hadolint', '--no-color', file)).toMatchObject({ code: 1, said: expect.stringContaining('DL3006') })
  })

  it('docker-compose understands compose.yaml, and not a misspelt one', () => {
    expect(tool('docker-compose', '-f', composeFile, 'config', '-q')).toEqual({ code: 0, said: '' })
    const misspelt = folder.write('compose.yaml', 'services: { a: { image: b, depend_on: [c] } }')
    expect(tool('docker-compose', '-f', misspelt, 'config', '-q').code).not.toBe(0)
  })

  it.each(kubernetesVersions)('the manifests fit the schemas of Kubernetes %s, and misspelt ones don’t', (version) => {
    const manifests = rendered()
    expect(validate(manifests, version)).toMatchObject({ code: 0 })
    for (const [right, wrong] of [
      ['readOnlyRootFilesystem', 'readOnlyRootFilesytem'],
      ['maxReplicas: 8', 'maxReplicas: eight'],
      ['containerPort: 8000', 'containerPort:'],
    ] as const) {
      expect(manifests).toContain(right)
      expect([wrong, validate(manifests.replace(right, wrong), version).code]).toEqual([wrong, 1])
    }
  })

  it('the gateway understands the settings of compose.yaml and of the manifests', () => {
    expect(readConfig({ env: composeEnvironment('gateway', {}), argv: [] }).config.runtime).toBe('stateflow')
    const { metadata, redis } = readConfig({ env: kubernetesSettings(), argv: [] }).config
    expect({ metadata, redis: redis.url }).toEqual({
      metadata: ['/metadata/entities.json'],
      redis: 'redis://redis:6379',
    })
  })

  it('a pod has the time that its gateway takes to stop', () => {
    const { terminationGracePeriodSeconds, containers } = podSpec()
    const pauseMs = containers[0]?.lifecycle.preStop.sleep.seconds * 1_000
    const graceMs = Number(kubernetesSettings().GATEWAY_SHUTDOWN_GRACE_MS)
    expect(terminationGracePeriodSeconds * 1_000).toBeGreaterThan(pauseMs + graceMs + CLOSING_MS)
  })

  it('a gateway of compose.yaml has the time that it takes to stop', () => {
    const [, seconds] = /stop_grace_period: (\d+)s/.exec(readFileSync(composeFile, 'utf8')) ?? []
    const graceMs = Number(composeEnvironment('gateway', {}).GATEWAY_SHUTDOWN_GRACE_MS)
    expect(Number(seconds) * 1_000).toBeGreaterThan(graceMs + CLOSING_MS)
  })
})

interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [{ readonly lifecycle: { readonly preStop: { readonly sleep: { seconds: number } } } }]
}

function podSpec(): PodSpec {
  const documents = parseAllDocuments(rendered()).map((document) => document.toJS())
  return documents.find(({ kind }) => kind === 'Deployment').spec.template.spec
}

function kubernetesSettings(): Readonly<Record<string, string>> {
  const lines = readFileSync(join(root, 'docker/kubernetes/settings.env'), 'utf8').split('\n')
  const settings = lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split(/=(.*)/s).slice(0, 2))
  // The mounted secret, which is not here.
  const secret = folder.write('redis-url', 'redis://redis:6379')
  return { ...Object.fromEntries(settings), REDIS_URL_FILE: secret }
}
