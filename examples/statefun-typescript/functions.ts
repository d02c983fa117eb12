import { createServer } from 'node:http'
import { StateFun } from 'apache-flink-statefun'
import { bind } from './bind.ts'
import { onItemMessage, onItemRequest } from './item.ts'
import {
  ItemMessageType,
  ItemRequestType,
  ItemStateType,
  UserMessageType,
  UserRequestType,
  UserStateType,
} from './messages.ts'
import { onUserMessage, onUserRequest } from './user.ts'

const port = Number(process.env.PORT ?? 8700)
const replyTopic = process.env.REPLY_TOPIC ?? 'shop-replies'

const statefun = new StateFun()
bind(statefun, {
  typename: 'shop/user',
  stateType: UserStateType,
  requestType: UserRequestType,
  messageType: UserMessageType,
  onRequest: onUserRequest,
  onMessage: onUserMessage,
  replyTopic,
})
bind(statefun, {
  typename: 'shop/item',
  stateType: ItemStateType,
  requestType: ItemRequestType,
  messageType: ItemMessageType,
  onRequest: onItemRequest,
  onMessage: onItemMessage,
  replyTopic,
})

const server = createServer(statefun.handler())
// Longer than whoever calls keeps an idle connection: a connection that is closed just when it is used costs a retry.
server.keepAliveTimeout = 60_000
server.listen(port, '127.0.0.1', () => {
  const address = server.address()
  console.log(`functions at http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/`)
})
process.once('SIGTERM', () => process.exit())
