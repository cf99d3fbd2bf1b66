import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react'

/** px from the end that still count as the end. */
const NEAR = 48

export interface Following {
  box: RefObject<HTMLDivElement | null>
  onScroll: () => void
  /** At the end, and stays there as the content grows. */
  isFollowing: boolean
  /** To the end. */
  follow: () => void
}

/** A box that stays at its end while it grows, until the reader scrolls away from it, and again when they come back. @param content whatever changes with it */
export function useFollow(content: unknown): Following {
  const box = useRef<HTMLDivElement>(null)
  const [isFollowing, setFollowing] = useState(true)
  // Known at once: what is measured between a scroll and the rendering that follows must not pull the reader back.
  const isAtEnd = useRef(true)
  const pin = useCallback(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [])
  useLayoutEffect(pin, [content, isFollowing, pin])
  useEffect(() => {
    const element = box.current
    if (!element) return
    // What opens, wraps anew, or is first laid out changes the height without another content.
    const observer = new ResizeObserver(pin)
    observer.observe(element)
    for (const child of element.children) observer.observe(child)
    return () => observer.disconnect()
  }, [pin])
  const onScroll = useCallback(() => {
    const element = box.current
    if (!element) return
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR
    setFollowing(isAtEnd.current)
  }, [])
  const follow = useCallback(() => {
    isAtEnd.current = true
    setFollowing(true)
    pin()
  }, [pin])
  return { box, onScroll, isFollowing, follow }
}
