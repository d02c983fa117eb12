/** What `--help` prints. */
export const usage = `stateflow-gateway: a REST API for stateful entities in a dataflow runtime

  stateflow-gateway serve [FLAGS]     start the gateway; with no metadata given, the shop demo
  stateflow-gateway check FILE...     check metadata documents
  stateflow-gateway openapi FILE...   print the OpenAPI document of metadata

Settings are flags (--kafka-brokers), environment variables (KAFKA_BROKERS) and members of a config file
(--config FILE); --print-config shows what was understood. docs/configuration.md lists them all.
`
