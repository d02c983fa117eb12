import { type AskableChild, startChild } from '../askable-child.ts'
import type { Start } from '../contender.ts'
import { fromInside, moduleOf, overHttp } from './own.ts'

/** StateFun's functions over HTTP. Each contender has functions of its own, so that none meets connections of another. */

export const startRawEndpoint: Start = async (setup) => {
  const functions = await startFunctions()
  const env = { FUNCTIONS_PORT: String(await functions.ask('port')) }
  const child = await startChild({ module: moduleOf('raw-endpoint'), env, execArgv: setup.execArgv })
  return { ...(await fromInside(setup, child, undefined)), close: () => closeBoth(child, functions) }
}

export const startStatefunEndpoint: Start = async (setup) => {
  const functions = await startFunctions()
  const env = {
    GATEWAY_RUNTIME: 'statefun-endpoint',
    GATEWAY_METADATA: new URL('../../examples/statefun-typescript/metadata.json', import.meta.url).pathname,
    STATEFUN_ENDPOINTS: `http://127.0.0.1:${await functions.ask('port')}/`,
  }
  const child = await startChild({ module: moduleOf('gateway'), env, execArgv: setup.execArgv })
  return { ...(await overHttp()(setup, child, undefined)), close: () => closeBoth(child, functions) }
}

function startFunctions(): Promise<AskableChild> {
  return startChild({ module: moduleOf('function-endpoint') })
}

async function closeBoth(child: AskableChild, functions: AskableChild): Promise<void> {
  await child.close()
  await functions.close()
}
