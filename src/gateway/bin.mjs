#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read, so that they can say what is wrong.
import { existsSync } from 'node:fs'

const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `stateflow-gateway needs Node 24 or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer Node. In a checkout, "npm ci && npm start" brings its own on Linux, Windows and Intel Macs.\n',
  )
  process.exit(1)
}
const [command, ...words] = process.argv.slice(2)
if (command === 'serve') {
  // Loading takes a while. Process 1 of a container is not ended by a signal that nobody handles, and a SIGHUP would end any other;
  // nothing has been read yet that it could ask to read again. Later handlers take over.
  const quit = (signal) => process.listenerCount(signal) > 1 || process.exit(0)
  process
    .on('SIGTERM', quit)
    .on('SIGINT', quit)
    .on('SIGHUP', () => undefined)
}
// The health check runs often, beside the gateway: it must not load it.
const isCheck = command === 'healthcheck' && !words.includes('--help') && !words.includes('-h')
const name = isCheck ? './healthcheck' : './main'
const source = new URL(`${name}.ts`, import.meta.url)
const { main } = await import(existsSync(source) ? source.href : `${name}.js`)
await main(process.argv.slice(2))
