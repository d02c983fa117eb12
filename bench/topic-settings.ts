/** A run writes gigabytes; what was answered is not needed any more. */
export const topicSettings = {
  'segment.bytes': '16777216',
  'retention.bytes': '33554432',
  'file.delete.delay.ms': '1000',
}
