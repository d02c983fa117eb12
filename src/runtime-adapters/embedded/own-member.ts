/** A member of the object's own: never one that every object inherits, such as `constructor`. */
export function ownMember(object: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = object[name]
  // Whatever is inherited is a function, but for one; data is not, so that the dearer question is seldom asked.
  if (typeof value !== 'function' && name !== '__proto__') return value
  return Object.hasOwn(object, name) ? value : undefined
}
