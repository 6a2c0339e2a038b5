import { delimiter, join } from 'node:path';
import { debianPackages } from './debian.ts';
import { run } from './run.ts';

const PACKAGES = [
  'curl',
  'libbrotli1',
  'libcurl4',
  'libffi8',
  'libgmp10',
  'libgnutls30',
  'libgssapi-krb5-2',
  'libhogweed6',
  'libidn2-0',
  'libk5crypto3',
  'libkeyutils1',
  'libkrb5-3',
  'libkrb5support0',
  'libldap-2.5-0',
  'libnettle8',
  'libnghttp2-14',
  'libp11-kit0',
  'libpsl5',
  'librtmp1',
  'libsasl2-2',
  'libssh2-1',
  'libssl3',
  'libtasn1-6',
  'libunistring2',
  'libzstd1',
];

/** An environment in which `curl` is found: the machine's own, or Debian's, which is not installed. */
export async function withCurl(): Promise<NodeJS.ProcessEnv> {
  try {
    await run('curl', ['--version']);
    return process.env;
  } catch {
    const folder = await debianPackages('curl', PACKAGES);
    return {
      ...process.env,
      PATH: [join(folder, 'usr/bin'), process.env['PATH']].join(delimiter),
      LD_LIBRARY_PATH: join(folder, 'usr/lib/x86_64-linux-gnu'),
    };
  }
}
