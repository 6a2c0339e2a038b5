/** The embedded S3 server as a process: loopback only, objects as files, no check of signatures. */
import { buildApp, type BuildAppOptions } from 'fauxqs';
import { fleetConfig, readConfig, runService } from '@epd/service';
import { Type } from 'typebox';

type Stores = NonNullable<BuildAppOptions['stores']>;

const schema = Type.Object({
  ...fleetConfig.service,
  folder: Type.String({
    env: 'EPD_S3_SERVER_DIR',
    path: true,
    description: 'Folder of the objects',
  }),
  port: Type.Integer({
    env: 'EPD_S3_SERVER_PORT',
    minimum: 1,
    maximum: 65_535,
    description: 'Port',
  }),
  bucket: Type.String({ env: 'EPD_S3_BUCKET', description: 'Bucket that is made at start' }),
});

runService({
  name: 's3-server',
  config: () => readConfig(schema),
  async start({ config }) {
    const stores = await storesOn(config.folder);
    if (!stores.s3Store.hasBucket(config.bucket)) stores.s3Store.createBucket(config.bucket);
    const app = buildApp({ logger: false, stores });
    await app.listen({ host: '127.0.0.1', port: config.port });
    return {
      async stop() {
        await app.close();
      },
    };
  },
});

/**
 * The package keeps objects in files only when it opens the port itself, and then on every address
 * of the machine. Its parts are reached by their place in it; the version is pinned for that reason.
 */
async function storesOn(folder: string): Promise<Stores> {
  const [sqs, sns, s3, files] = await Promise.all([
    part<{ SqsStore: new () => Stores['sqsStore'] }>('sqs/sqsStore.js'),
    part<{ SnsStore: new () => Stores['snsStore'] }>('sns/snsStore.js'),
    part<{ S3Store: new () => Stores['s3Store'] }>('s3/s3Store.js'),
    part<{ FileS3Persistence: new (folder: string) => FilePersistence }>('s3/fileS3Persistence.js'),
  ]);
  const persistence = new files.FileS3Persistence(folder);
  const s3Store = new s3.S3Store();
  // Loaded before it is attached, or restored data would be written again.
  persistence.loadS3(s3Store);
  s3Store.persistence = persistence;
  return { sqsStore: new sqs.SqsStore(), snsStore: new sns.SnsStore(), s3Store };
}

type FilePersistence = NonNullable<Stores['s3Store']['persistence']> & {
  loadS3(store: Stores['s3Store']): void;
};

async function part<T>(path: string): Promise<T> {
  return (await import(new URL(path, import.meta.resolve('fauxqs')).href)) as T;
}
