import type { Observer } from './observer.js'

/** Several who are told the same. Numbers of subscribers and faults count up from 0 for all of them alike: the first one's are answered. */
export function together(observers: readonly [Observer, ...Observer[]]): Observer {
  if (observers.length === 1) return observers[0]
  const all = <Told extends unknown[], Answer>(tell: (observer: Observer, ...told: Told) => Answer) => (...told: Told): Answer => {
    const [answer] = observers.map((observer) => tell(observer, ...told))
    return answer as Answer
  }
  return {
    producer: all((observer, producer: number, project: string, answered?: boolean) => observer.producer(producer, project, answered)),
    subscriber: all((observer, name: string, interest: Parameters<Observer['subscriber']>[1]) => observer.subscriber(name, interest)),
    published: all((observer, mark: number) => observer.published(mark)),
    forbidden: all((observer, mark: number) => observer.forbidden(mark)),
    acked: all((observer, mark: number, offset: string, head: string) => observer.acked(mark, offset, head)),
    refused: all((observer, mark: number, code: string) => observer.refused(mark, code)),
    committed: all((observer, project: string, mark: number | undefined, offset: string) => observer.committed(project, mark, offset)),
    lost: all((observer, project: string, offset: string) => observer.lost(project, offset)),
    trimmed: all((observer, project: string, offset: string) => observer.trimmed(project, offset)),
    delivered: all((observer, subscriber: number, project: string, mark: number, offset: string) => observer.delivered(subscriber, project, mark, offset)),
    gap: all((observer, subscriber: number, gap: Parameters<Observer['gap']>[1]) => observer.gap(subscriber, gap)),
    began: all((observer, subscriber: number, offset: string) => observer.began(subscriber, offset)),
    resumed: all((observer, subscriber: number, worker: string) => observer.resumed(subscriber, worker)),
    left: all((observer, subscriber: number) => observer.left(subscriber)),
    faultBegan: all((observer, kind: Parameters<Observer['faultBegan']>[0], what: string) => observer.faultBegan(kind, what)),
    faultEnded: all((observer, fault: number) => observer.faultEnded(fault)),
  }
}
