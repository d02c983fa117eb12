import 'reflect-metadata'
import process from 'node:process'
import { Body, Controller, HttpCode, Inject, Module, Param, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientsModule, Transport } from '@nestjs/microservices'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { firstValueFrom, timeout } from 'rxjs'

// From HTTP to a Kafka microservice and back, as NestJS's documentation has it. The decorators are called as functions, so that
// Node can run this file as it is.

const DEADLINE_MS = 10_000
const { BENCH_BROKERS: brokers = '', BENCH_REQUESTS: topic = '', BENCH_PORT: port = '0' } = process.env

class UserController {
  constructor(kafka) {
    this.kafka = kafka
  }

  async onModuleInit() {
    this.kafka.subscribeToResponseOf(topic)
    await this.kafka.connect()
  }

  buyItem(key, body) {
    const request = { key, value: { key, method: 'buy_item', args: body } }
    return firstValueFrom(this.kafka.send(topic, request).pipe(timeout(DEADLINE_MS)))
  }
}

class AppModule {}

Controller('user')(UserController)
Inject('KAFKA')(UserController, undefined, 0)
const buyItem = Object.getOwnPropertyDescriptor(UserController.prototype, 'buyItem')
for (const decorate of [Post(':key/buy_item'), HttpCode(200)]) decorate(UserController.prototype, 'buyItem', buyItem)
Param('key')(UserController.prototype, 'buyItem', 0)
Body()(UserController.prototype, 'buyItem', 1)

const options = {
  client: { clientId: 'bench-nest', brokers: brokers.split(','), logLevel: 0 },
  consumer: { groupId: 'bench-nest', allowAutoTopicCreation: false },
  producer: { allowAutoTopicCreation: false },
  send: { acks: -1 },
}
Module({
  imports: [ClientsModule.register([{ name: 'KAFKA', transport: Transport.KAFKA, options }])],
  controllers: [UserController],
})(AppModule)

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] })
await app.listen(Number(port), '127.0.0.1')
