import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'

/** CPU and memory of processes that are not Node's own, read from Linux's /proc; nothing elsewhere. */

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on (`getconf CLK_TCK`). */
const TICK_MS = 10
/** Of the resident pages in the same file (`getconf PAGESIZE`). */
const PAGE_BYTES = 4_096

/** Ids of child processes whose executable has this name. */
export function childrenNamed(command: string): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((pid) => {
        const stat = readStat(pid)
        return stat?.command === command && Number(stat.fields[1]) === process.pid
      })
  } catch {
    return []
  }
}

/** User and system time so far, in milliseconds; 0 for a process that is gone. */
export function cpuMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readStat(pid)?.fields ?? []
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS
  }, 0)
}

/** Resident memory, in bytes. */
export function rssBytesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(readStat(pid)?.fields[21] ?? 0) * PAGE_BYTES, 0)
}

/** proc(5): the command stands in brackets and may hold anything; the fields after it begin with the state. */
function readStat(pid: number): { readonly command: string; readonly fields: readonly string[] } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const end = text.lastIndexOf(')')
    return { command: text.slice(text.indexOf('(') + 1, end), fields: text.slice(end + 2).split(' ') }
  } catch {
    return undefined
  }
}
