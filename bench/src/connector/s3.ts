import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Store } from '@epd/connector/s3';
import { givenS3, type S3Settings } from '@epd/connector/testing';

const SERVER = fileURLToPath(new URL('s3-server.ts', import.meta.url));

/** The S3 server that EPD_TEST_S3_ENDPOINT names, else one in memory on this machine. */
export class BenchS3 implements AsyncDisposable {
  readonly bucket = `epd-bench-${randomUUID()}`;
  readonly note: string;
  /** The SDK's own client, as anybody would make it for such a server. */
  readonly bare: S3Client;
  readonly #settings: S3Settings;
  readonly #child: ChildProcess | null;

  private constructor(settings: S3Settings, note: string, child: ChildProcess | null) {
    this.#settings = settings;
    this.note = note;
    this.#child = child;
    const { accessKeyId, secretAccessKey, endpoint, region, forcePathStyle } = settings;
    this.bare = new S3Client({
      endpoint,
      region,
      forcePathStyle,
      credentials: { accessKeyId, secretAccessKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  static async start(): Promise<BenchS3> {
    const given = givenS3();
    const s3 = given
      ? new BenchS3(given, `S3 at ${given.endpoint}`, null)
      : await startInMemory((settings, child) => new BenchS3(settings, IN_MEMORY, child));
    const store = s3.store();
    await store.ensureBucket();
    await store.close();
    return s3;
  }

  store(): S3Store {
    return new S3Store({ ...this.#settings, bucket: this.bucket });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.bare.destroy();
    this.#child?.kill();
  }
}

const IN_MEMORY =
  'S3 is a server in memory on this machine: the least that a client’s work can hide behind';

async function startInMemory(
  make: (settings: S3Settings, child: ChildProcess) => BenchS3,
): Promise<BenchS3> {
  const child = spawn(process.execPath, [SERVER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = await Array.fromAsync(firstLine(child));
  const endpoint = `http://127.0.0.1:${port}`;
  const keys = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  return make({ endpoint, region: 'us-east-1', forcePathStyle: true, ...keys }, child);
}

async function* firstLine(child: ChildProcess): AsyncIterable<string> {
  if (!child.stdout) return;
  for await (const line of createInterface({ input: child.stdout })) {
    yield line;
    return;
  }
}
