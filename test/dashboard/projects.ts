/** A project of its own for each test: whoever is shown one project's work must not see another's. */
import type { EventInput } from '@hubbub/protocol'
import { token } from '../harness/token.js'
import type { Stage } from './stage.js'

export interface Project {
  name: string
  /** An admin's token. */
  as: string
  /** @param by an agent that says it, instead of the admin */
  tell: (events: readonly EventInput[], by?: string) => Promise<unknown>
}

export class Projects {
  private count = 0

  constructor(private readonly stem: string) {}

  /** One more, with these events in it. */
  async begin(stage: Stage, events: readonly EventInput[]): Promise<Project> {
    const name = `${this.stem}-${++this.count}`
    const as = token({ sub: 'lead', role: 'admin', project: name })
    const tell: Project['tell'] = (more, by) => stage.publish(more, { as: by === undefined ? as : token({ sub: by, role: 'agent', project: name }) })
    await tell(events)
    return { name, as, tell }
  }
}
