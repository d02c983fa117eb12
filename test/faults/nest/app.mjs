import 'reflect-metadata'
import process from 'node:process'
import { Body, Controller, Get, HttpCode, Inject, Module, Param, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientsModule, Transport } from '@nestjs/microservices'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { firstValueFrom, timeout } from 'rxjs'

// NestJS's own way from HTTP to a Kafka microservice and back, as its documentation has it. The decorators are called as
// functions, so that Node can run this file as it is.

const {
  FAULT_BROKERS: brokers = '',
  FAULT_REQUESTS: topic = '',
  FAULT_DEADLINE_MS: deadlineMs = '',
  HOST,
  PORT,
} = process.env

class AccountController {
  constructor(kafka) {
    this.kafka = kafka
  }

  async onModuleInit() {
    this.kafka.subscribeToResponseOf(topic)
    await this.kafka.connect()
  }

  /** Ready once a call comes back: replies can't be received before the group has given out its partitions. */
  async ready() {
    await this.add('readiness', { call: 'readiness', amount: 0 })
    return ''
  }

  add(account, { call, amount }) {
    const request = { key: account, value: { call, amount, account } }
    return firstValueFrom(this.kafka.send(topic, request).pipe(timeout(Number(deadlineMs))))
  }
}

class AppModule {}

/** As TypeScript applies a decorator to a method. */
function decorate(name, ...decorators) {
  const method = Object.getOwnPropertyDescriptor(AccountController.prototype, name)
  for (const decorator of decorators) decorator(AccountController.prototype, name, method)
}

Controller()(AccountController)
Inject('KAFKA')(AccountController, undefined, 0)
decorate('ready', Get('ready'))
decorate('add', Post('account/:account/add'), HttpCode(200))
Param('account')(AccountController.prototype, 'add', 0)
Body()(AccountController.prototype, 'add', 1)

const client = { clientId: 'faults-nest', brokers: brokers.split(','), logLevel: 0 }
Module({
  imports: [
    ClientsModule.register([
      {
        name: 'KAFKA',
        transport: Transport.KAFKA,
        options: {
          client,
          consumer: { groupId: 'faults-nest', allowAutoTopicCreation: false },
          producer: { allowAutoTopicCreation: false },
          send: { acks: -1 },
        },
      },
    ]),
  ],
  controllers: [AccountController],
})(AppModule)

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] })
app.enableShutdownHooks()
await app.listen(Number(PORT), HOST)
