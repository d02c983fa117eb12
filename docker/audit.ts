import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { auditVerdict } from './audit-verdict.ts'

/** `node docker/audit.ts`: fails on a grave vulnerability that is known of a package that runs in production. */

const TIMEOUT_MS = 120_000
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--workspaces=false', '--json'], {
  cwd: join(import.meta.dirname, '..'),
  encoding: 'utf8',
  timeout: TIMEOUT_MS,
  maxBuffer: 64 << 20,
})
const verdict = auditVerdict(stdout)
switch (verdict.kind) {
  case 'clean':
    process.stdout.write(`audit: ${verdict.packages} packages, ${verdict.lesser} lesser advisories, none grave\n`)
    break
  case 'not-asked':
    process.stdout.write(`audit: NOT DONE, the registry can't be asked: ${verdict.why}\n`)
    break
  case 'vulnerable':
    process.stderr.write(`audit: grave vulnerabilities in ${verdict.names.join(', ')}; see npm audit --omit=dev\n`)
    process.exitCode = 1
    break
  case 'unreadable':
    process.stderr.write(`audit: npm said nothing that can be read: ${verdict.output}\n`)
    process.exitCode = 1
    break
}
