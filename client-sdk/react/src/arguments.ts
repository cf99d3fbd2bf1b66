/** Arguments of hooks, which are written anew on each rendering and seldom mean anything new. */
import { useInsertionEffect, useRef, useState, type RefObject } from 'react'

/** The value given first, until one comes that differs as JSON: equal literals do not start anything anew. */
export function useEqual<T>(value: T): T {
  const key = JSON.stringify(value)
  const [kept, keep] = useState({ key, value })
  if (kept.key === key) return kept.value
  keep({ key, value })
  return value
}

/** The value of the last rendering that was shown, for functions that are called later. */
export function useLatest<T>(value: T): Readonly<RefObject<T>> {
  const latest = useRef(value)
  // Before all other effects, and unlike a layout effect silent on servers (React 18).
  useInsertionEffect(() => {
    latest.current = value
  })
  return latest
}
