import dns from 'node:dns';

/** Names that this process finds at addresses of a test's choice. */
export interface Names extends Disposable {
  /** Where the name is found from now on; undefined for nowhere. */
  set(name: string, address: string | undefined): void;
}

/** Answers for all names under `.lab.test` in the place of DNS; whoever looks up others gets what they always got. */
export function serveNames(): Names {
  const addresses = new Map<string, string>();
  const { lookup } = dns;
  const answer = (name: string, options: dns.LookupOptions, callback: (...answer: unknown[]) => void) => {
    if (!name.endsWith('.lab.test')) return void lookup(name, options, callback);
    const address = addresses.get(name);
    if (address === undefined) {
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', hostname: name });
      return void setImmediate(callback, error);
    }
    const found = options.all ? [[{ address, family: 4 }]] : [address, 4];
    setImmediate(callback, null, ...found);
  };
  Object.assign(dns, { lookup: answer });
  return {
    set: (name, address) => void (address === undefined ? addresses.delete(name) : addresses.set(name, address)),
    [Symbol.dispose]: () => void Object.assign(dns, { lookup }),
  };
}
