import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ownCache = fileURLToPath(new URL('../../.cache/', import.meta.url))

/**
 * The folder for what tests download or build once: the checkout's own, which is not under version control, or one that several
 * checkouts share.
 */
export const CACHE = process.env.TEST_CACHE ?? ownCache

/** For programs of this checkout that are started often: each start after the first has a third less to do. Paths are its keys, so it is the checkout's own. */
export const compiledOnce = { NODE_COMPILE_CACHE: join(ownCache, 'node-compile-cache') }

const LOCK_DEADLINE_MS = 10 * 60_000

/**
 * A folder under `CACHE` that is built when there is none for these `inputs`. Test files run side by side:
 * one of them builds, the others wait.
 */
export async function cachedBuild(options: {
  readonly name: string
  /** Whatever the result depends on, e.g. the text of a requirements file. */
  readonly inputs: readonly string[]
  readonly build: (folder: string) => Promise<void>
}): Promise<string> {
  const { name, inputs, build } = options
  const wanted = createHash('sha256').update(inputs.join('\0')).digest('hex')
  const folder = join(CACHE, `${name}-${wanted.slice(0, 12)}`)
  const stamp = `${folder}.stamp`
  const isThere = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (isThere()) return folder
  const unlock = await lock(`${folder}.lock`)
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
