import { hostname } from 'node:os'
import process from 'node:process'
import type { FastifyServerOptions } from 'fastify'
import type { Config } from './config.ts'
import { createLogDestination, type LogDestination } from './observability/log-destination.ts'

type LogConfig = Pick<Config, 'logLevel' | 'logFormat' | 'logRequests'>

function isPretty({ logFormat }: LogConfig, isTerminal: boolean): boolean {
  return logFormat === 'pretty' || (logFormat === 'auto' && isTerminal)
}

/** Bytes that reach a pipe as a whole, whoever else writes to it (POSIX, `PIPE_BUF` of Linux). */
const WHOLE_BYTES = 4_096

/** With a line a request, calls would wait for whoever reads the log; a few lines are better written at once. */
export function logDestination(
  config: LogConfig,
  isTerminal: boolean,
  worker: number | undefined,
): LogDestination | undefined {
  if (!config.logRequests || isPretty(config, isTerminal)) return undefined
  return createLogDestination(worker === undefined ? {} : { maxWriteBytes: WHOLE_BYTES })
}

export interface LoggerParts {
  readonly destination?: LogDestination | undefined
  /** Its lines carry it. */
  readonly worker?: number | undefined
}

/** For people in a terminal, JSON lines elsewhere. */
export function loggerOptions(
  config: LogConfig,
  isTerminal: boolean,
  { destination, worker }: LoggerParts = {},
): FastifyServerOptions['logger'] {
  return {
    ...(worker === undefined ? {} : { base: { pid: process.pid, hostname: hostname(), worker } }),
    level: config.logLevel,
    // Custom routes may log a request; nothing of the gateway does.
    redact: ['authorization', 'proxy-authorization', 'cookie', 'x-api-key'].map((name) => `req.headers["${name}"]`),
    ...(destination === undefined ? {} : { stream: destination }),
    ...(isPretty(config, isTerminal)
      ? {
          transport: {
            target: 'pino-pretty',
            options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname,runtimes,entities,routes', singleLine: true },
          },
        }
      : {}),
  }
}
