import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@epd/service';
import { run } from '../tools/run.ts';
import { cephConfig, monitorAddress, type CephPorts } from './ceph-config.ts';
import { guarded } from './guard.ts';
import type { ProcessSpec } from './managed-process.ts';
import { Supervisor } from './supervisor.ts';

const PACKAGES = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common'];
const STEP_WITHIN_MS = 60_000;

export interface RealS3 {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  stop(): Promise<void>;
}

/**
 * A real S3 server: Ceph's object gateway, from Debian's packages, with what
 * it holds in memory. It checks signatures and honours conditional puts. Takes about 40 s and 0.8 GB.
 */
export async function startRealS3(folder: string, say: (line: string) => void): Promise<RealS3> {
  await install(say);
  const ports = {
    monitorV2: await freePort(),
    monitorV1: await freePort(),
    gateway: await freePort(),
  };
  const keys = { accessKey: 'test', secretKey: 'test-secret' };
  const ceph = new Ceph(folder);
  try {
    await ceph.prepare(ports);
    await ceph.startMonitor();
    await ceph.startStorage();
    await ceph.startGateway(ports.gateway, keys);
  } catch (error) {
    await ceph.stop();
    throw error;
  }
  return { endpoint: `http://127.0.0.1:${ports.gateway}`, ...keys, stop: () => ceph.stop() };
}

async function install(say: (line: string) => void): Promise<void> {
  const present = await run('radosgw', ['--version']).catch(() => null);
  if (present !== null) return;
  if (process.getuid?.() !== 0) {
    throw new Error(
      `A real S3 server needs Debian's packages: as root, apt-get install ${PACKAGES.join(' ')}`,
    );
  }
  say(`Installing ${PACKAGES.join(', ')} for a real S3 server (61 MB)`);
  await run('apt-get', ['update', '-qq']);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES], { env });
}

class Ceph {
  readonly #folder: string;
  readonly #supervisor = new Supervisor(() => {});

  constructor(folder: string) {
    this.#folder = folder;
  }

  async prepare(ports: CephPorts): Promise<void> {
    for (const name of ['osd', 'log', 'run'])
      await mkdir(join(this.#folder, name), { recursive: true });
    const fsid = randomUUID();
    await writeFile(join(this.#folder, 'ceph.conf'), cephConfig(this.#folder, fsid, ports));
    const map = join(this.#folder, 'monmap');
    const address = ['--addv', 'a', monitorAddress(ports)];
    await this.#run('monmaptool', ['--create', '--clobber', ...address, '--fsid', fsid, map]);
    await this.#key('mon.', { mon: 'allow *' }, true);
    await this.#key('client.admin', { mon: 'allow *', osd: 'allow *', mgr: 'allow *' });
    await this.#key('osd.0', { mon: 'allow profile osd', osd: 'allow *' });
    await this.#key('client.rgw', { mon: 'allow rwx', osd: 'allow rwx' });
  }

  async startMonitor(): Promise<void> {
    const files = [
      '--monmap',
      join(this.#folder, 'monmap'),
      '--keyring',
      join(this.#folder, 'keyring'),
    ];
    await this.#run('ceph-mon', ['--mkfs', '-i', 'a', ...files]);
    await this.#daemon('ceph-mon', ['-i', 'a']);
    await within('the monitor', () => this.#run('ceph', ['--connect-timeout', '5', '-s']));
  }

  async startStorage(): Promise<void> {
    const id = randomUUID();
    await this.#run('ceph', ['osd', 'new', id]);
    await this.#run('ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', id]);
    await this.#run('ceph', ['auth', 'import', '-i', join(this.#folder, 'keyring')]);
    await this.#run('ceph', ['osd', 'crush', 'add', 'osd.0', '1.0', 'root=default']);
    await this.#daemon('ceph-osd', ['-i', '0']);
  }

  async startGateway(port: number, keys: { accessKey: string; secretKey: string }): Promise<void> {
    await this.#daemon('radosgw', ['-n', 'client.rgw']);
    await within('the gateway', () => canConnect(port));
    const user = ['--uid=test', '--display-name=test'];
    const pair = [`--access-key=${keys.accessKey}`, `--secret=${keys.secretKey}`];
    await this.#run('radosgw-admin', ['-n', 'client.rgw', 'user', 'create', ...user, ...pair]);
  }

  /** At once: all it holds is in memory, and a gentle end takes long. */
  async stop(): Promise<void> {
    this.#supervisor.kill();
    await this.#supervisor.stop();
  }

  #key(name: string, caps: Record<string, string>, create = false): Promise<string> {
    const granted = Object.entries(caps).flatMap(([service, cap]) => ['--cap', service, cap]);
    const keyring = join(this.#folder, 'keyring');
    const first = create ? ['--create-keyring'] : [];
    return this.#run('ceph-authtool', [...first, keyring, '--gen-key', '-n', name, ...granted]);
  }

  async #daemon(command: string, args: readonly string[]): Promise<void> {
    const spec: ProcessSpec = {
      name: command,
      ...guarded(command, [...args, '--setuser', 'root', '--setgroup', 'root', '-f']),
      env: { ...process.env, ...this.#env },
      logFile: join(this.#folder, 'log', `${command}.out`),
      stopMs: 1_000,
      lifeline: 'stdin',
    };
    await this.#supervisor.add([spec]);
  }

  #run(command: string, args: readonly string[]): Promise<string> {
    return run(command, args, { env: this.#env, timeoutMs: STEP_WITHIN_MS });
  }

  get #env(): { CEPH_CONF: string } {
    return { CEPH_CONF: join(this.#folder, 'ceph.conf') };
  }
}

async function within(what: string, probe: () => Promise<unknown>): Promise<void> {
  const endMs = performance.now() + STEP_WITHIN_MS;
  for (;;) {
    try {
      await probe();
      return;
    } catch (error) {
      if (performance.now() > endMs)
        throw new Error(`${what} of Ceph did not come up`, { cause: error });
      await sleep(250);
    }
  }
}

function canConnect(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
