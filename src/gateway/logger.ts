import type { FastifyServerOptions } from 'fastify'
import type { Config } from './config.ts'

/** For people in a terminal, JSON lines elsewhere. */
export function loggerOptions(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  isTerminal: boolean,
): FastifyServerOptions['logger'] {
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && isTerminal)
  return {
    level: logLevel,
    redact: ['req.headers.authorization', 'req.headers.cookie', 'req.headers["x-api-key"]'],
    ...(pretty
      ? {
          transport: {
            target: 'pino-pretty',
            options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname,runtimes,entities,routes', singleLine: true },
          },
        }
      : {}),
  }
}
