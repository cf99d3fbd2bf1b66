/** What the demo was asked for. */
import { parseArgs } from 'node:util'

export const USAGE = [
  'npm run demo -- [--speed 15] [--once] [--seed N] [--port 4000] [--url URL --token TOKEN [--github-secret TEXT]]',
  '',
  '  --speed N           minutes of story in a minute, 1 to 600; default 15: the hour takes four minutes',
  '  --once              ends after one hour; otherwise the next one follows, until Ctrl-C',
  '  --seed N            1 to 9999: the same names, words and figures again; default: another one each time',
  '  --port N            of the hub that the demo starts; default 4000, 0 takes a free one',
  '  --url URL           plays against a hub that stands already, in place of one of its own in memory',
  '  --token TOKEN       an admin\'s token there (HUBBUB_TOKEN); its project should have no other agents',
  '  --github-secret S   the hub\'s webhook secret (HUBBUB_GITHUB_SECRET); without it there is no GitHub traffic',
].join('\n')

/**
 * @typedef {{ url: string | undefined, token: string | undefined, githubSecret: string | undefined, port: number, speed: number, seed: number, once: boolean, help: boolean }} Arguments
 * @param {string[]} words @param {NodeJS.ProcessEnv} env @returns {Arguments | { problem: string }}
 */
export function readArguments(words, env) {
  try {
    const { values } = parseArgs({
      args: words,
      options: {
        speed: { type: 'string', default: '15' }, once: { type: 'boolean', default: false }, seed: { type: 'string' }, port: { type: 'string', default: '4000' },
        url: { type: 'string' }, token: { type: 'string' }, 'github-secret': { type: 'string' }, help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const { url, once, help, token = env['HUBBUB_TOKEN'], 'github-secret': githubSecret = env['HUBBUB_GITHUB_SECRET'] } = values
    const seed = values.seed === undefined ? 1 + Math.floor(Math.random() * 9999) : within('seed', values.seed, 1, 9999, true)
    const speed = within('speed', values.speed, 1, 600)
    const port = within('port', values.port, 0, 65_535, true)
    if (url !== undefined && !/^https?:\/\/\S+$/.test(url)) throw new RangeError(`--url: '${url}' is not allowed; allowed: an http:// or https:// address`)
    if (url !== undefined && !token) throw new RangeError('--url needs --token, or HUBBUB_TOKEN: an admin\'s')
    return { url: url?.replace(/\/+$/, ''), token, githubSecret, port, speed, seed, once, help }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** @param {string} name @param {string} text @param {number} least @param {number} most */
function within(name, text, least, most, isWhole = false) {
  const value = Number(text)
  if (text.trim() === '' || !(value >= least && value <= most) || (isWhole && !Number.isInteger(value))) {
    throw new RangeError(`--${name}: '${text}' is not allowed; allowed: ${isWhole ? 'a whole number' : 'a number'} from ${least} to ${most}`)
  }
  return value
}
