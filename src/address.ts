/** Whether a host can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether what comes from this URL can be trusted to come from there: over TLS, or without leaving this machine. */
export function isTrustworthyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const bare = url.username === '' && url.password === '' && url.hash === '';
  return bare && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)));
}

/** Whether an upstream may be called at this base URL, to which paths are added. */
export function isUpstreamUrl(text: string): boolean {
  return isTrustworthyUrl(text) && new URL(text).search === '';
}

/** Whether this is a proxy to go through, if with a user and a password: nothing but them, a host and a port. */
export function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(text);
  const bare = hostname !== '' && pathname === '/' && search === '' && hash === '';
  return bare && (protocol === 'http:' || protocol === 'https:') && [username, password].every(isDecodable);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether this is an origin as browsers spell it, and nothing more. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** The part of an address that belongs to one client: all of an IPv4 address, the first 64 bits of an IPv6 one (RFC 6177). */
export function clientNetwork(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(bare)?.[1];
  if (mapped !== undefined || !bare.includes(':')) return mapped ?? bare;
  const [before = '', after] = bare.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = after === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array(Math.max(zeros, 0)).fill('0'), ...(after ?? [])];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
