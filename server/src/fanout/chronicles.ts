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

/** Releases that are kept of an audience; and audiences of which any are. */
const RELEASES = 256
const AUDIENCES = 200

export class Chronicles {
  private readonly open = new Set<Chronicle>()
  private readonly ended = new Set<Chronicle>()
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
    this.ended.add(chronicle)
    if (this.ended.size > this.limits.traceSessions) for (const oldest of this.ended) return void this.ended.delete(oldest)
  }

  /** In the order in which they began, those that ended first. */
  of(project: string): Chronicle[] {
    return [...this.ended, ...this.open].filter((chronicle) => chronicle.project === project)
  }

  /** Of an audience that gathers: once a release, which is no more often than its pace. */
  released(audience: string, since: Offset, upTo: Offset): void {
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
