import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { beforeAll, describe, expect, it } from 'vitest'
import { auditVerdict } from '../../docker/audit-verdict.ts'
import { root } from '../helpers/gateway-process.ts'
import { runTool } from './python-tools.ts'

interface Sbom {
  readonly bomFormat: string
  readonly metadata: { readonly component: { readonly name: string } }
  readonly components: readonly {
    readonly name: string
    readonly purl: string
    readonly hashes?: readonly { readonly alg: string }[]
    readonly licenses?: readonly { readonly expression: string }[]
  }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

describe('the bill of materials', () => {
  let sbom: Sbom
  beforeAll(() => {
    const { code, said } = runTool(process.execPath, [join(root, 'docker/sbom.ts')])
    expect([code, said]).toEqual([0, expect.stringMatching(/^\{/)])
    sbom = JSON.parse(said)
  })

  it('names each package that runs in production, with its source and checksum, and no other', () => {
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'stateflow-gateway' } } })
    const names = sbom.components.map(({ name }) => name)
    const { dependencies }: { dependencies: object } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)))
    expect(names).not.toContain('vitest')
    for (const { purl, hashes } of sbom.components)
      expect([purl, hashes?.[0]?.alg]).toEqual([expect.stringMatching(/^pkg:npm\/.+@\d/), 'SHA-512'])
  })

  it('names what each package needs, all of it among the others', () => {
    const refs = new Set(sbom.dependencies.map(({ ref }) => ref))
    expect(refs.size).toBe(sbom.components.length + 1)
    expect(sbom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.has(ref))).toEqual([])
  })

  it('holds no licence that forbids handing the image on', () => {
    const allowed = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', '0BSD'])
    const others = sbom.components.filter(({ licenses }) => !allowed.has(licenses?.[0]?.expression ?? ''))
    expect(others.map(({ name, licenses }) => [name, licenses])).toEqual([])
  })
})

describe('the audit', () => {
  const report = (severity: string) => JSON.stringify({ vulnerabilities: { left: { severity } }, metadata: {} })

  it.each([
    ['no advisory', '{"vulnerabilities":{},"metadata":{"dependencies":{"prod":9}}}', { kind: 'clean', packages: 9 }],
    ['a lesser advisory', report('moderate'), { kind: 'clean', lesser: 1 }],
    ['a grave advisory', report('high'), { kind: 'vulnerable', names: ['left'] }],
    ['a registry without the endpoint', '{"message":"405 …","statusCode":405,"error":{}}', { kind: 'not-asked' }],
    ['no network', '{"message":"request to http://x/ failed, reason: connect ECONNREFUSED"}', { kind: 'not-asked' }],
    ['a broken lock file', '{"error":{"code":"EUSAGE","summary":"…"},"message":"…"}', { kind: 'unreadable' }],
    ['no output', '', { kind: 'unreadable' }],
    ['null', 'null', { kind: 'unreadable' }],
  ])('takes %s for what it is', (_name, output, verdict) => {
    expect(auditVerdict(output)).toMatchObject(verdict)
  })
})
