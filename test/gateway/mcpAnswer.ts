/** What the dialect of `?dialect=mcp` answers. */
import type { Line, Told } from './dialectLine.js'

/** The next message that is no bookmark. */
export function answer(agent: Line, message: object | string): Promise<Told> {
  return agent.ask(message, ({ type }) => type !== 'cursor')
}

/** Code and words of the error that answers it. */
export async function refusal(agent: Line, message: object | string): Promise<[unknown, unknown]> {
  const { type, payload } = await answer(agent, message)
  expect(type).toBe('error')
  expect(payload['timestamp']).toMatch(/^\d{4}-.*Z$/)
  return [payload['code'], payload['message']]
}
