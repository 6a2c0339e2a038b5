import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { DigestAnswer, DigestPart } from './digest-messages.ts';

const hashes = new Map<number, Hash>();

parentPort?.on('message', ({ id, bytes, isLast }: DigestPart) => {
  const hash = hashes.get(id) ?? createHash('sha256');
  hashes.set(id, hash.update(bytes));
  if (!isLast) return;
  hashes.delete(id);
  const answer: DigestAnswer = { id, sha256: hash.digest('hex') };
  parentPort?.postMessage(answer, []);
});
