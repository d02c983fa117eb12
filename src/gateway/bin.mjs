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
// The health check runs often, beside the gateway: it must not load it.
const name = process.argv[2] === 'healthcheck' ? './healthcheck' : './main'
const source = new URL(`${name}.ts`, import.meta.url)
const { main } = await import(existsSync(source) ? source.href : `${name}.js`)
await main(process.argv.slice(2))
