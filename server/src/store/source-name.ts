/** The four source streams of a partition, a public contract; in this order everywhere, the scripts included. */
export const SOURCES = ['agents', 'workflows', 'github', 'system'] as const
export type SourceName = (typeof SOURCES)[number]
