import fastify from 'fastify'
import { listeningPort } from '../listening-port.ts'
import { answerParent } from '../parent-channel.ts'

/** The floor of HTTP: bare Fastify that parses the same body and answers the same bytes. */
const app = fastify()
app.post('/user/:key/buy_item', async () => true)
await app.listen({ host: '127.0.0.1', port: 0 })
answerParent({ port: () => listeningPort(app) })
