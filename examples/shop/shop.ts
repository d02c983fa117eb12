import { defineEntity, EntityError, entityRef, Int64, Type } from 'stateflow-gateway/embedded'

/**
 * The demo of StateFlow, name for name, and one method each with a dict, an optional, a float and a 64-bit integer.
 * Python's integers have no bounds, so money and pieces are as wide as the wire allows.
 */

const ItemRef = entityRef('Item', { description: 'An item, by its name.' })

export const Item = defineEntity({
  name: 'Item',
  description: 'Something the shop sells.',
  key: 'item_name',
  state: Type.Object({
    item_name: Type.String({ description: 'The item’s name; its key.' }),
    price: Int64({ description: 'Price of one piece.' }),
    stock: Int64({ description: 'Pieces in stock; never below zero.' }),
    attributes: Type.Record(Type.String(), Type.String(), { description: 'What else is known of it, by name.' }),
  }),
  create: {
    description: 'Puts a new item on the shelf, with nothing in stock.',
    params: {
      item_name: Type.String({ description: 'The item’s name; its key.' }),
      price: Int64({ description: 'Price of one piece.' }),
    },
    init: ({ item_name, price }) => ({ item_name, price, stock: 0n, attributes: {} }),
    examples: [{ item_name: 'laptop', price: 3n }],
  },
  methods: (method) => ({
    update_stock: method(
      {
        description: 'Adds to the stock, or takes from it. False, and nothing changed, if it would fall below zero.',
        params: { amount: Int64({ description: 'Pieces to add; negative to take.' }) },
        returns: Type.Boolean(),
        examples: [{ amount: 10n }],
      },
      (self, { amount }) => {
        if (self.stock + amount < 0n) return false
        self.stock += amount
        return true
      },
    ),
    set_stock: method(
      {
        description: 'Sets the stock after a count.',
        params: { amount: Int64({ description: 'Pieces counted.' }) },
        examples: [{ amount: 5n }],
      },
      (self, { amount }) => {
        self.stock = amount
      },
    ),
    set_attributes: method(
      {
        description: 'Adds to what is known of the item; a known name gets the new text. Returns all of it.',
        params: { attributes: Type.Record(Type.String(), Type.String(), { description: 'Texts by name.' }) },
        returns: Type.Record(Type.String(), Type.String()),
        examples: [{ attributes: { colour: 'silver', weight: '1.2 kg' } }],
      },
      (self, { attributes }) => {
        Object.assign(self.attributes, attributes)
        return self.attributes
      },
    ),
    quote: method(
      {
        description: 'What a number of pieces costs, with a discount where one is given. Changes nothing.',
        params: {
          amount: Int64({ minimum: 1, description: 'Pieces wanted.' }),
          discount: Type.Optional(
            Type.Number({ minimum: 0, maximum: 1, description: 'Part of the price to take off; 0.25 is a quarter.' }),
          ),
        },
        returns: Type.Number(),
        readOnly: true,
        examples: [{ amount: 4n }, { amount: 4n, discount: 0.25 }],
      },
      (self, { amount, discount = 0 }) => Number(self.price * amount) * (1 - discount),
    ),
  }),
})

export const User = defineEntity({
  name: 'User',
  description: 'A customer with a purse.',
  key: 'username',
  state: Type.Object({
    username: Type.String({ description: 'The customer’s name; the key.' }),
    balance: Int64({ description: 'Money in the purse; 1 at first.' }),
    items: Type.Array(ItemRef, { description: 'Items of this customer, by name.' }),
    points: Int64({ description: 'Loyalty points; 64 bits.' }),
  }),
  create: {
    description: 'Registers a customer, with a balance of 1.',
    params: { username: Type.String({ description: 'The customer’s name; the key.' }) },
    init: ({ username }) => ({ username, balance: 1n, items: [], points: 0n }),
    examples: [{ username: 'alice' }],
  },
  methods: (method) => ({
    update_balance: method(
      {
        description: 'Adds to the purse, or takes from it.',
        params: { x: Int64({ description: 'Money to add; negative to take.' }) },
        examples: [{ x: 9n }],
      },
      (self, { x }) => {
        self.balance += x
      },
    ),
    get_balance: method(
      { description: 'The money in the purse.', returns: Int64(), readOnly: true, examples: [{}] },
      (self) => self.balance,
    ),
    buy_item: method(
      {
        description: 'Buys pieces of an item. False, and nothing changed, if the money or the stock does not suffice.',
        params: { amount: Int64({ description: 'Pieces to buy.' }), item: ItemRef },
        returns: Type.Boolean(),
        examples: [{ amount: 2n, item: 'laptop' }],
      },
      (self, { amount, item: name }, context) => {
        const item = context.entity(Item, name)
        const totalPrice = amount * item.get('price')
        if (self.balance < totalPrice) return false
        if (!item.call('update_stock', { amount: -amount })) return false
        self.balance -= totalPrice
        return true
      },
    ),
    simple_for_loop: method(
      {
        description: 'Gives 4 to the first of these customers and 9 to each of the others. Returns how many there are.',
        params: { users: Type.Array(entityRef('User', { description: 'A customer, by name.' })) },
        returns: Type.Integer(),
        examples: [{ users: ['bob', 'carol'] }],
      },
      (_self, { users }, context) => {
        for (const [index, user] of users.entries()) {
          context.entity('User', user).call('update_balance', { x: index === 0 ? 4n : 9n })
        }
        return users.length
      },
    ),
    state_requests: method(
      {
        description: 'Reads and sets the stock of these items in turn, and returns the sum of all that was read.',
        params: { items: Type.Array(ItemRef) },
        returns: Int64(),
        errors: { NoItems: { status: 422, description: 'The list is empty.' } },
        examples: [{ items: ['laptop'] }],
      },
      (_self, { items }, context) => {
        const [first, ...others] = items.map((name) => context.entity(Item, name))
        if (first === undefined) throw new EntityError('NoItems', 'At least one item is needed.')
        let total = first.get('stock')
        first.call('set_stock', { amount: 10n })
        total += first.get('stock')
        first.call('set_stock', { amount: 0n })
        for (const item of [first, ...others]) {
          total += item.get('stock')
          item.call('set_stock', { amount: 5n })
          total += item.get('stock')
        }
        total += first.get('stock')
        if (total > 0n) first.call('set_stock', { amount: 1n })
        return total + first.get('stock')
      },
    ),
    add_points: method(
      {
        description: 'Adds loyalty points and returns their number; both may need all 64 bits.',
        params: { points: Int64({ description: 'Points to add.' }) },
        returns: Int64(),
        examples: [{ points: 250n }],
      },
      (self, { points }) => {
        self.points += points
        return self.points
      },
    ),
  }),
})
