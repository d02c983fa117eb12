/** An operator wants the sentence; a defect, in a file of his own too, needs its stack. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const stack = stackOfDefect(error.cause)
  return stackOfDefect(error) ?? (stack === undefined ? error.message : `${error.message}\n${stack}`)
}

function stackOfDefect(error: unknown): string | undefined {
  const isDefect = error instanceof TypeError || error instanceof ReferenceError
  return isDefect ? error.stack : undefined
}
