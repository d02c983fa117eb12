/** What came of asking the registry for known vulnerabilities of the packages that run in production. */
export type AuditVerdict =
  | { readonly kind: 'clean'; readonly packages: number; readonly lesser: number }
  | { readonly kind: 'vulnerable'; readonly names: readonly string[] }
  /** The registry could not be asked, which says nothing about the packages. */
  | { readonly kind: 'not-asked'; readonly why: string }
  | { readonly kind: 'unreadable'; readonly output: string }

/** What `npm audit --json` prints; all of it may be missing. */
interface AuditReport {
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity?: string }>>
  readonly metadata?: { readonly dependencies?: { readonly prod?: number } }
  readonly message?: string
  readonly statusCode?: number
}

const grave = new Set(['high', 'critical'])
/** How npm words that nobody could be reached; it gives no code. */
const unreachable = /^request to \S+ failed, reason: /

export function auditVerdict(output: string): AuditVerdict {
  const report = readReport(output)
  if (report?.vulnerabilities !== undefined) {
    const found = Object.entries(report.vulnerabilities)
    const names = found.filter(([, { severity = 'critical' }]) => grave.has(severity)).map(([name]) => name)
    if (names.length > 0) return { kind: 'vulnerable', names }
    return { kind: 'clean', packages: report.metadata?.dependencies?.prod ?? 0, lesser: found.length }
  }
  if (report?.statusCode !== undefined) return { kind: 'not-asked', why: `it answered ${report.statusCode}` }
  const message = report?.message ?? ''
  if (unreachable.test(message)) return { kind: 'not-asked', why: message.replace(unreachable, '') }
  return { kind: 'unreadable', output: output.slice(0, 500) }
}

function readReport(output: string): AuditReport | undefined {
  try {
    // Whatever is not of this form has none of its members.
    return (JSON.parse(output) ?? undefined) as AuditReport | undefined
  } catch {
    return undefined
  }
}
