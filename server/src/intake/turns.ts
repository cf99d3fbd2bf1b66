/**
 * What waits to be written to one partition: each project in its own order (I1), and the projects in turns, so that a long queue of one
 * does not stand in front of the others.
 */
export class Turns<T> {
  /** In the order of their turns; a project without anything is not in it. */
  private readonly queues = new Map<string, { items: T[]; next: number }>()
  private count = 0

  get size(): number {
    return this.count
  }

  add(project: string, item: T): void {
    const queue = this.queues.get(project)
    if (queue) queue.items.push(item)
    else this.queues.set(project, { items: [item], next: 0 })
    this.count++
  }

  /** Takes one of each project after another until `fits` says no, or nothing is left. */
  take(fits: (item: T) => boolean): T[] {
    const taken: T[] = []
    // Who had a turn goes to the end, where this loop comes by again.
    for (const [project, queue] of this.queues) {
      const item = queue.items[queue.next]!
      if (!fits(item)) break
      taken.push(item)
      this.queues.delete(project)
      // Not shifted one by one: of a long array each would move all that is behind it.
      if (++queue.next < queue.items.length) this.queues.set(project, queue)
    }
    for (const queue of this.queues.values()) {
      queue.items.splice(0, queue.next)
      queue.next = 0
    }
    this.count -= taken.length
    return taken
  }

  /** Keeps what passes; answers the rest, each project's in its order. */
  drop(keeps: (item: T) => boolean): T[] {
    const dropped: T[] = []
    for (const [project, queue] of this.queues) {
      const kept: T[] = []
      for (const item of queue.items.slice(queue.next)) (keeps(item) ? kept : dropped).push(item)
      if (kept.length > 0) this.queues.set(project, { items: kept, next: 0 })
      else this.queues.delete(project)
    }
    this.count -= dropped.length
    return dropped
  }
}
