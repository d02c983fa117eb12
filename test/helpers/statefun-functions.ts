import { spawn } from 'node:child_process'
import { join, relative } from 'node:path'
import { root } from './gateway-process.ts'
import { killProcess } from './kill-process.ts'
import { foundIn } from './runtime-process.ts'
import { missingProgram, pythonCommand, RUNTIMES, virtualEnvironment } from './stateflow-sources.ts'

/** Remote functions in a process of their own. */
export interface Functions {
  /** Of every function, e.g. `http://127.0.0.1:41234/`. */
  readonly url: string
  /** What they wrote: their failures are told nowhere else. */
  output(): string
  close(): Promise<void>
}

const READY_WITHIN_MS = 120_000
const PYTHON_EXAMPLE = join(root, 'examples/statefun-python')

/** `examples/statefun-typescript` on a free port, answering to this topic. */
export function startTypescriptFunctions(replyTopic: string): Promise<Functions> {
  return startFunctions(process.execPath, [join(root, 'examples/statefun-typescript/functions.ts')], replyTopic)
}

/** `examples/statefun-python` likewise; the first time, its one package is downloaded. */
export function startPythonFunctions(replyTopic: string): Promise<Functions> {
  return startPython(join(PYTHON_EXAMPLE, 'functions.py'), replyTopic)
}

/** A function in Python that only answers its caller, with the example’s `gateway/dispatch`. */
export function startDispatchedFunctions(replyTopic: string): Promise<Functions> {
  return startPython(join(root, 'test/runtimes/statefun/dispatched.py'), replyTopic)
}

async function startPython(program: string, replyTopic: string): Promise<Functions> {
  const requirements = relative(RUNTIMES, join(PYTHON_EXAMPLE, 'requirements.txt'))
  const python = await virtualEnvironment('statefun-python-venv', requirements)
  // Compiled files stay out of the sources.
  return startFunctions(python, ['-B', program], replyTopic)
}

/** Why `startPythonFunctions` can’t work here; `undefined` where it can, and in CI, where nothing may be missing. */
export function pythonUnavailable(): string | undefined {
  if (process.env.CI !== undefined) return undefined
  const isNewEnough = (output: string) => output.startsWith('True')
  return missingProgram(pythonCommand(), ['-c', 'import sys; print(sys.version_info >= (3, 10))'], isNewEnough)
}

/** Resolves when the program has written where it listens. It is given `PORT=0` and its reply topic. */
export async function startFunctions(
  command: string,
  args: readonly string[],
  replyTopic: string,
  folder = root,
): Promise<Functions> {
  const env = { ...process.env, PORT: '0', REPLY_TOPIC: replyTopic }
  const child = spawn(command, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const close = async () => {
    process.off('exit', kill)
    await killProcess(child)
  }
  try {
    const [, url = ''] = await foundIn(child, /functions at (http:\S+)/, READY_WITHIN_MS)
    return { url, output: () => output, close }
  } catch (error) {
    await close()
    throw new Error(`${command} ${args.join(' ')} ${String(error)}\n${output}`)
  }
}
