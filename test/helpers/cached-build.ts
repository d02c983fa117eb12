import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The checkout's folder for what tests download or build once; not under version control. */
export const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url))

const LOCK_DEADLINE_MS = 10 * 60_000

/**
 * A folder under `.cache` that is built when it is missing or when `inputs` have changed. Test files run side by side:
 * one of them builds, the others wait.
 */
export async function cachedBuild(options: {
  readonly name: string
  /** Whatever the result depends on, e.g. the text of a requirements file. */
  readonly inputs: readonly string[]
  readonly build: (folder: string) => Promise<void>
}): Promise<string> {
  const { name, inputs, build } = options
  const folder = join(CACHE, name)
  const stamp = join(CACHE, `${name}.stamp`)
  const wanted = createHash('sha256').update(inputs.join('\0')).digest('hex')
  const isThere = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (isThere()) return folder
  const unlock = await lock(join(CACHE, `${name}.lock`))
  try {
    if (isThere()) return folder
    rmSync(stamp, { force: true })
    makeWritable(folder)
    rmSync(folder, { recursive: true, force: true })
    await build(folder)
    writeFileSync(stamp, wanted)
    return folder
  } finally {
    unlock()
  }
}

/** A copy of read-only sources is read-only too. */
export function makeWritable(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  chmodSync(path, found.mode | 0o200)
  if (!found.isDirectory()) return
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!entry.isSymbolicLink()) makeWritable(join(path, entry.name))
  }
}

async function lock(path: string): Promise<() => void> {
  mkdirSync(CACHE, { recursive: true })
  const deadline = Date.now() + LOCK_DEADLINE_MS
  while (!tryLock(path)) {
    if (Date.now() > deadline) throw new Error(`${path} was held by another process for ten minutes.`)
    await delay(50)
  }
  return () => rmSync(path, { force: true })
}

/** The lock holds the id of its process, so that what a killed run left behind does not stop the next one. */
function tryLock(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (holderIsGone(path)) rmSync(path, { force: true })
    return false
  }
}

/** Only a lock that names a dead process may be taken away: one that can't be read is just being made or given back. */
function holderIsGone(path: string): boolean {
  const holder = Number(textOf(path))
  if (!Number.isSafeInteger(holder) || holder <= 0) return false
  try {
    process.kill(holder, 0)
    return false
  } catch {
    return true
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
