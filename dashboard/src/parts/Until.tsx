import type { ReactNode } from 'react'
import { duration, useNow } from './Ago'

/** @param at ISO 8601: a time that is to come, or should have */
export function Until({ at }: { at: string | undefined }): ReactNode {
  const now = useNow()
  const ms = at === undefined ? Number.NaN : Date.parse(at)
  if (Number.isNaN(ms)) return <span>—</span>
  return <time dateTime={new Date(ms).toISOString()} title={new Date(ms).toLocaleString()}>{ms >= now ? `in ${duration(ms - now)}` : `${duration(now - ms)} overdue`}</time>
}
