import { join } from 'node:path';
import { debianPackages } from './debian.ts';

const PACKAGES = ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'];

/** Debian's haproxy, and the environment that it needs for not being installed. */
export async function haproxy(): Promise<{ command: string; env: Record<string, string> }> {
  const folder = await debianPackages('haproxy', PACKAGES);
  return {
    command: join(folder, 'usr/sbin/haproxy'),
    env: { LD_LIBRARY_PATH: join(folder, 'usr/lib/x86_64-linux-gnu') },
  };
}
