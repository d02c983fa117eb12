import type { FastifyServerOptions } from 'fastify'
import type { Config } from './config.ts'
import { createLogDestination, type LogDestination } from './observability/log-destination.ts'

type LogConfig = Pick<Config, 'logLevel' | 'logFormat' | 'logRequests'>

function isPretty({ logFormat }: LogConfig, isTerminal: boolean): boolean {
  return logFormat === 'pretty' || (logFormat === 'auto' && isTerminal)
}

/** With a line a request, calls would wait for whoever reads the log; a few lines are better written at once. */
export function logDestination(config: LogConfig, isTerminal: boolean): LogDestination | undefined {
  return config.logRequests && !isPretty(config, isTerminal) ? createLogDestination() : undefined
}

/** For people in a terminal, JSON lines elsewhere. */
export function loggerOptions(
  config: LogConfig,
  isTerminal: boolean,
  destination?: LogDestination,
): FastifyServerOptions['logger'] {
  return {
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
