import type { Store } from '../../server/src/store/port.js'

/** The real store with some calls made to fail, or to lose their answer. */
export function withFault(store: Store, faults: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(faults, name) ? faults : target, name)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}
