import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { metadataOf } from './many-methods.ts'
import { renderTable } from './markdown-table.ts'
import { cpuMsOf, rssBytesOf } from './process-cpu.ts'
import { median } from './statistics.ts'

/**
 * `node bench/start-up.ts [ROUNDS]`: gateways with 10, 1,000 and 5,000 methods, from the start of a real process to its first answer.
 * No runtime is reached, so what is measured is the gateway's own.
 */
const SIZES = [10, 1_000, 5_000]
const DEFAULT_ROUNDS = 3
const program = new URL('../src/gateway/bin.mjs', import.meta.url).pathname

interface Start {
  readonly readyMs: number
  /** User and system time of the process until it was ready. */
  readonly cpuMs: number
  readonly rssBytes: number
  /** The first answer writes the document, later ones come from memory. */
  readonly firstDocumentMs: number
  readonly laterDocumentMs: number
  readonly documentBytes: number
  /** With the ETag of the first answer. */
  readonly unchangedStatus: number
}

async function measureStart(file: string): Promise<Start> {
  const beganAtMs = performance.now()
  const env = { ...process.env, PORT: '0', GATEWAY_RUNTIME: 'statefun-endpoint', GATEWAY_METADATA: file }
  const child = spawn(process.execPath, [program, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const url = await listening(child)
    const readyMs = performance.now() - beganAtMs
    const { pid = 0 } = child
    const usage = { cpuMs: cpuMsOf([pid]), rssBytes: rssBytesOf([pid]) }
    const first = await fetchDocument(url)
    const later = await fetchDocument(url)
    const unchanged = await fetch(`${url}/openapi.json`, { headers: { 'if-none-match': first.etag } })
    return {
      ...{ readyMs, ...usage, firstDocumentMs: first.ms, laterDocumentMs: later.ms, documentBytes: first.bytes },
      unchangedStatus: unchanged.status,
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

/** The address that its line of the start names. */
async function listening({ stdout }: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of stdout ?? []) {
    text += String(chunk)
    const url = /; docs at (http:\/\/[^\s"]+)\/docs/.exec(text)?.[1]
    if (url !== undefined) return url
  }
  throw new Error(`the gateway ended without listening: ${text}`)
}

async function fetchDocument(
  url: string,
): Promise<{ readonly ms: number; readonly bytes: number; readonly etag: string }> {
  const beganAtMs = performance.now()
  const response = await fetch(`${url}/openapi.json`)
  const { byteLength: bytes } = await response.arrayBuffer()
  if (response.status !== 200) throw new Error(`/openapi.json answered ${response.status}`)
  return { ms: performance.now() - beganAtMs, bytes, etag: response.headers.get('etag') ?? '' }
}

function row(methods: number, starts: readonly Start[]): readonly string[] {
  const of = (pick: (start: Start) => number, digits = 0) => median(starts.map(pick)).toFixed(digits)
  return [
    methods.toLocaleString('en-US'),
    ...[of(({ readyMs }) => readyMs), of(({ cpuMs }) => cpuMs), of(({ rssBytes }) => rssBytes / 1_048_576)],
    ...[of(({ firstDocumentMs }) => firstDocumentMs), of(({ laterDocumentMs }) => laterDocumentMs, 1)],
    of(({ documentBytes }) => documentBytes / 1_024),
    starts.map(({ unchangedStatus }) => unchangedStatus).join(' '),
  ]
}

const HEADINGS = ['methods', 'ready ms', 'CPU ms', 'RSS MB', 'document ms', 'again ms', 'document KiB', 'unchanged']

const rounds = Number(process.argv[2] ?? DEFAULT_ROUNDS)
const folder = mkdtempSync(join(tmpdir(), 'start-up-'))
try {
  const starts = new Map<number, Start[]>(SIZES.map((size) => [size, []]))
  for (const size of SIZES) writeFileSync(join(folder, `${size}.json`), JSON.stringify(metadataOf(size)))
  for (let round = 0; round < rounds; round++) {
    for (const [size, measured] of starts) measured.push(await measureStart(join(folder, `${size}.json`)))
  }
  const table = renderTable([HEADINGS, ...[...starts].map(([size, measured]) => row(size, measured))])
  process.stdout.write(`${table.join('\n')}\n`)
} finally {
  rmSync(folder, { recursive: true })
}
