/** The chronicles of one partition's sessions on this worker: of those that are open, and of the last that ended. */
import { isAfter, type Offset } from '@hubbub/protocol'
import { Chronicle, NOBODY, type Who } from './chronicle.js'
import type { Session } from './session.js'

/** What gathered events went out together. */
export interface Release {
  since: Offset
  upTo: Offset
}

export interface ChronicleLimits {
  /** Ended sessions. */
  traceSessions: number
  /** Of each kind of what is over, a session. */
  traceEpisodes: number
}

/** Releases that are kept of an audience; and audiences of which any are, but for those whose name alone is a page: of them it is not known. */
const RELEASES = 256
const AUDIENCES = 200
const LONGEST_NAME = 4096
/** Characters of an ended session's subscriptions, on the average: whoever comes and goes with thousands of topics each time fills no memory (I7). */
const ENDED_LENGTH = 2048

export class Chronicles {
  private readonly open = new Set<Chronicle>()
  /** With the length of what each holds. */
  private readonly ended = new Map<Chronicle, number>()
  private endedLength = 0
  private readonly releases = new Map<string, Release[]>()

  constructor(private readonly limits: ChronicleLimits) {}

  begin(session: Session, who: Who = NOBODY): Chronicle {
    const chronicle = new Chronicle(who, session.project, session.outlet.encoding.name, session, session.position, this.limits.traceEpisodes)
    this.open.add(chronicle)
    return chronicle
  }

  end(chronicle: Chronicle): void {
    if (!this.open.delete(chronicle)) return
    chronicle.end()
    const length = lengthOf(chronicle)
    this.ended.set(chronicle, length)
    this.endedLength += length
    const { traceSessions } = this.limits
    for (const [oldest, its] of this.ended) {
      if (this.ended.size <= traceSessions && this.endedLength <= traceSessions * ENDED_LENGTH) return
      this.ended.delete(oldest)
      this.endedLength -= its
    }
  }

  /** In the order in which they began, those that ended first. */
  of(project: string): Chronicle[] {
    return [...this.ended.keys(), ...this.open].filter((chronicle) => chronicle.project === project)
  }

  /** Of an audience that gathers: once a release, which is no more often than its pace. */
  released(audience: string, since: Offset, upTo: Offset): void {
    if (audience.length > LONGEST_NAME) return
    const releases = this.releases.get(audience) ?? []
    releases.push({ since, upTo })
    if (releases.length > RELEASES) releases.splice(0, RELEASES / 4)
    // The one used last at the end.
    this.releases.delete(audience)
    this.releases.set(audience, releases)
    if (this.releases.size > AUDIENCES) for (const [oldest] of this.releases) return void this.releases.delete(oldest)
  }

  /** Undefined: it waits still, or so much went out since that it is not known any more. */
  releaseOf(audience: string, offset: Offset): Release | undefined {
    return this.releases.get(audience)?.find(({ since, upTo }) => isAfter(offset, since) && !isAfter(offset, upTo))
  }
}

function lengthOf({ spans, answers }: Chronicle): number {
  return JSON.stringify([spans.map(({ subscription }) => subscription), answers.map(({ interest }) => interest)]).length
}
