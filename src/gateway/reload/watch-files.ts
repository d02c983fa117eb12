import { globSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../runtime-adapters/contract.ts'

export interface WatchOptions {
  /** Files, folders (every file directly in them) and globs. */
  readonly sources: readonly string[]
  /** Of these files, from before they were read: a change since then is one. */
  readonly marks: string
  readonly intervalMs: number
  readonly log: Log
  readonly onChange: () => void
}

/**
 * Looks at files again and again. The system's notices follow a file, not a name: they are lost when an editor puts another in its
 * place, and Kubernetes exchanges a link two folders above. Whoever writes is given time: what was seen must be seen twice.
 * @returns ends it
 */
export function watchFiles({ sources, marks, intervalMs, log, onChange }: WatchOptions): () => void {
  let served = marks
  let seen = served
  const timer = setInterval(() => {
    const now = markFiles(sources)
    const isSteady = now === seen
    seen = now
    if (!isSteady || now === served) return
    served = now
    log.info({}, 'files have changed')
    onChange()
  }, intervalMs).unref()
  return () => clearInterval(timer)
}

/** Everything by which a change shows, links followed. */
export function markFiles(sources: readonly string[]): string {
  return sources.flatMap(filesOf).map(markOf).join('\n')
}

function filesOf(source: string): readonly string[] {
  try {
    const stat = statSync(source, { throwIfNoEntry: false })
    if (stat === undefined) return globSync(source)
    return stat.isDirectory() ? readdirSync(source).map((name) => join(source, name)) : [source]
  } catch {
    // It went while it was looked at; the next look finds it gone.
    return []
  }
}

function markOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true })
    return [file, dev, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch {
    // It is gone, or a link that leads nowhere or to itself: what reads it says so, if anything does.
    return file
  }
}
