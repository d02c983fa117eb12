import { readConfig } from '../../src/gateway/config.ts'
import { buildGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts'

export interface RunningGateway extends Gateway {
  readonly url: string
}

/** A gateway that listens on a free port, configured by variables as an operator would. */
export async function startGateway(
  env: Readonly<Record<string, string>>,
  options: Omit<GatewayOptions, 'config'> = {},
): Promise<RunningGateway> {
  const { config } = readConfig({ env: { ...env, PORT: '0' }, argv: [] })
  const gateway = await buildGateway({ config, ...options })
  const [url = ''] = await gateway.listen({ host: '127.0.0.1' })
  // Not a copy: what serves changes with a reload.
  return Object.assign(gateway, { url })
}
