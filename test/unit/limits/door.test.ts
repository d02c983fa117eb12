import { describe, expect, it } from 'vitest'
import { createDoor, type Door } from '../../../src/gateway/limits/door.ts'

function refusedOf(door: Door, isRead: boolean): number {
  return Array.from({ length: 100 }, () => door.letsIn(isRead)).filter((isIn) => !isIn).length
}

describe('the door', () => {
  it('is open while the event loop is in time', () => {
    const door = createDoor(200)
    for (let n = 0; n < 10; n++) door.tick(199)
    expect(refusedOf(door, false)).toBe(0)
  })

  it('closes step by step while the loop is late, for reads last, and never for all', () => {
    const door = createDoor(200)
    for (let n = 0; n < 3; n++) door.tick(300)
    expect(refusedOf(door, false)).toBeCloseTo(30, -1)
    expect(refusedOf(door, true)).toBe(0)
    for (let n = 0; n < 30; n++) door.tick(300)
    expect(refusedOf(door, false)).toBeCloseTo(90, -1)
    expect(refusedOf(door, true)).toBeLessThan(refusedOf(door, false))
  })

  it('opens again within two seconds', () => {
    const door = createDoor(200)
    for (let n = 0; n < 30; n++) door.tick(300)
    for (let n = 0; n < 20; n++) door.tick(10)
    expect(refusedOf(door, false)).toBe(0)
  })
})
