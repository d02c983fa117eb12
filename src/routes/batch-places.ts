/** How many batches may run at once, through whichever routes they came: it outlives the routes. */
export interface BatchPlaces {
  readonly max: number
  /** @returns whether there was one */
  take(): boolean
  giveBack(): void
}

export function createBatchPlaces(max: number): BatchPlaces {
  let taken = 0
  return {
    max,
    take() {
      if (taken >= max) return false
      taken++
      return true
    },
    giveBack() {
      taken--
    },
  }
}
