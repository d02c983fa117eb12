/** Milliseconds: Node fires a timer that is set to more at once. What takes longer is as good as for ever. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1
