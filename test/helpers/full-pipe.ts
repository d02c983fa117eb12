import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { TemporaryFolder } from './temporary-folder.ts'

/** A named pipe that takes no byte more until somebody reads. */
export interface FullPipe {
  readonly path: string
  readonly fd: number
  /** Empties it. @returns what others have written */
  read(): string
  close(): void
}

const FILLING = Buffer.alloc(4_096, '.')

export function createFullPipe({ path: folder }: TemporaryFolder): FullPipe {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  // Both ends: one alone can't be opened without waiting for the other.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  while (takesMore(fd));
  return {
    ...{ path, fd },
    read() {
      const bytes = Buffer.alloc(1_048_576)
      return bytes.subarray(0, readSync(fd, bytes)).toString().replace(/^\.+/, '')
    },
    close: () => closeSync(fd),
  }
}

function takesMore(fd: number): boolean {
  try {
    return writeSync(fd, FILLING) > 0
  } catch {
    return false
  }
}
