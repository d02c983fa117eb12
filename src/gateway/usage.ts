/** What `--help` prints. */
export const usage = `stateflow-gateway: a REST API for stateful entities in a dataflow runtime

  stateflow-gateway serve [FLAGS]     start the gateway; in a checkout, with no entities given, the shop demo
  stateflow-gateway check FILE...     check metadata documents
  stateflow-gateway diff OLD NEW      print what differs between two sets of metadata; 1 where it breaks callers
  stateflow-gateway openapi FILE...   print the OpenAPI document of metadata
  stateflow-gateway new-api-key ID [SCOPE...]
                                      print a new API key and its entry in GATEWAY_API_KEYS
  stateflow-gateway describe-module MODULE.yaml [--functions FILE]
                                      print the metadata of a StateFun application
  stateflow-gateway healthcheck       ask the gateway on HOST and PORT whether it lives; "healthcheck ready": whether it is ready

Settings are flags (--kafka-brokers), environment variables (KAFKA_BROKERS) and members of a config file
(--config FILE); --print-config shows what was understood. docs/configuration.md lists them all. --version prints the
gateway's version.
`
