import { spawnSync } from 'node:child_process';

/** A certificate that signs itself, with its key, as PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Whether certificates can be made here. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Makes a certificate for these addresses or names. Nobody trusts it yet. */
export function createCertificate(goodFor = 'IP:127.0.0.1'): Certificate {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const subject = ['-subj', '/CN=hookgraph test', '-addext', `subjectAltName=${goodFor}`];
  const { stdout: pem } = spawnSync('openssl', ['req', ...kind, ...subject, '-keyout', '-'], { encoding: 'utf8' });
  return { key: pem, cert: pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')) };
}
