import { hostname } from 'node:os'
import process from 'node:process'
import type { FastifyServerOptions } from 'fastify'
import type { Config } from './config.ts'
import { createLogDestination, type LogDestination } from './observability/log-destination.ts'

type LogConfig = Pick<Config, 'logLevel' | 'logFormat'>

function isPretty({ logFormat }: LogConfig, isTerminal: boolean): boolean {
  return logFormat === 'pretty' || (logFormat === 'auto' && isTerminal)
}

/** Bytes that reach a pipe as a whole, whoever else writes to it (POSIX, `PIPE_BUF` of Linux). */
const WHOLE_BYTES = 4_096

/**
 * A disk that is full, or a reader that has stopped, must neither end the gateway nor keep it from ending, and no call waits for them.
 * @param isAlone no other process writes to the same place
 */
export function logDestination(config: LogConfig, isTerminal: boolean, isAlone: boolean): LogDestination | undefined {
  return isPretty(config, isTerminal) ? undefined : createLogDestination(isAlone ? {} : { maxWriteBytes: WHOLE_BYTES })
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
