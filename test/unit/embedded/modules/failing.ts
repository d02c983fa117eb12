throw new RangeError('no such luck')
