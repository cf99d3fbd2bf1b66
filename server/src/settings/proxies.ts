/** Which peers are balancers whose word about their clients is believed: `HUBBUB_TRUST_PROXY`. */
import { BlockList, isIP } from 'node:net'

export interface Proxies {
  /** Whether who stands so many hops from the hub (0: its own peer) at that address is one. */
  trusts(address: string, hop: number): boolean
}

const NOBODY: Proxies = { trusts: () => false }
const LONGEST_PREFIX = { ipv4: 32, ipv6: 128 }

/** `none`, a number of hops, or networks. Throws RangeError, of the network that is none. */
export function readProxies(text: string): Proxies {
  if (text === 'none') return NOBODY
  if (/^[1-9]\d?$/.test(text)) return { trusts: (_address, hop) => hop < Number(text) }
  // A list of each family: in one list every IPv4 address would be found in the network of mapped ones.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const network of text.split(',')) {
    const [address = '', prefix] = network.split('/')
    const family = familyOf(address)
    try {
      lists[family].addSubnet(address, prefix === undefined ? LONGEST_PREFIX[family] : Number(prefix), family)
    } catch {
      throw new RangeError(network)
    }
  }
  return {
    trusts(address) {
      const family = familyOf(address)
      return isIP(address) !== 0 && lists[family].check(address, family)
    },
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
