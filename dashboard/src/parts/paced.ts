import { useEffect, useRef, useState } from 'react'

/**
 * The value, another one at most every so many ms: what changes with every frame cannot be read, and costs a rendering each time. The
 * last one always comes, and the first one behind what a view begins with at once: what was read must not be told as nothing meanwhile.
 */
export function usePaced<T>(value: T, everyMs: number): T {
  const [first] = useState(() => value)
  const [shown, show] = useState(() => value)
  const pace = useRef<{ latest: T; at: number; timer?: ReturnType<typeof setTimeout> }>({ latest: value, at: 0 })
  useEffect(() => {
    const own = pace.current
    own.latest = value
    own.timer ??= setTimeout(() => {
      delete own.timer
      own.at = performance.now()
      show(() => own.latest)
    }, Math.max(0, own.at + everyMs - performance.now()))
  }, [value, everyMs])
  useEffect(() => {
    const own = pace.current
    return () => {
      clearTimeout(own.timer)
      delete own.timer
    }
  }, [])
  return shown === first ? value : shown
}
