export interface CephPorts {
  readonly monitorV2: number;
  readonly monitorV1: number;
  readonly gateway: number;
}

/**
 * A Ceph of one monitor, one storage daemon in memory and one gateway, all on loopback. Keys are
 * needed even here (the gateway hangs without them), and a pool of one copy has to be allowed.
 */
export function cephConfig(folder: string, fsid: string, ports: CephPorts): string {
  return section({
    global: {
      fsid,
      'mon host': monitorAddress(ports),
      'public addr': '127.0.0.1',
      'cluster addr': '127.0.0.1',
      'auth cluster required': 'cephx',
      'auth service required': 'cephx',
      'auth client required': 'cephx',
      'auth allow insecure global id reclaim': 'false',
      keyring: `${folder}/keyring`,
      'run dir': `${folder}/run`,
      'log file': `${folder}/log/$name.log`,
      'admin socket': `${folder}/run/$name.asok`,
      'mon allow pool size one': 'true',
      'mon max pg per osd': 1_000,
      'mon data avail crit': 1,
      'osd pool default size': 1,
      'osd pool default min size': 1,
      'osd pool default pg num': 4,
      'osd pool default pgp num': 4,
      'osd crush chooseleaf type': 0,
      'osd objectstore': 'memstore',
      'memstore device bytes': 4 * 1024 ** 3,
    },
    'mon.a': { 'mon data': `${folder}/mon` },
    'osd.0': { 'osd data': `${folder}/osd` },
    'client.rgw': {
      'rgw frontends': `beast endpoint=127.0.0.1:${ports.gateway}`,
      'rgw data': folder,
      'rgw dns name': 'localhost',
    },
  });
}

export function monitorAddress({ monitorV2, monitorV1 }: CephPorts): string {
  return `[v2:127.0.0.1:${monitorV2},v1:127.0.0.1:${monitorV1}]`;
}

function section(sections: Record<string, Record<string, string | number>>): string {
  return Object.entries(sections)
    .map(([name, settings]) => {
      const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}`);
      return [`[${name}]`, ...lines, ''].join('\n');
    })
    .join('\n');
}
