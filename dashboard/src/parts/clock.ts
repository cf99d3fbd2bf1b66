/** Times of the day as this place has them, always as wide: `14:02:10`, `14:02:10.123`. @param at ms since the epoch */
export function clockOf(at: number, isExact = false): string {
  const time = new Date(at)
  const two = (number: number): string => String(number).padStart(2, '0')
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return isExact ? `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}` : clock
}
