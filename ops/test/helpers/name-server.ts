import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from './running-fleet.ts';

const HEADER_BYTES = 12;
/** A response, recursion available, no error. */
const FLAGS = 0x81_80;
const TYPE_A = 1;
const CLASS_IN = 1;
const TTL_S = 1;
/** A pointer to the name in the question. */
const SAME_NAME = 0xc0_00 + HEADER_BYTES;

/**
 * Answers every question for an address with what `addresses` gives now, as a container engine does
 * for the name of a service; every other question with nothing. Its port.
 */
export async function nameServer(t: Test, addresses: () => readonly string[]): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) =>
    socket.send(answer(query, addresses()), port, address),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(async () => void socket.close());
  return socket.address().port;
}

function answer(query: Buffer, addresses: readonly string[]): Buffer {
  const question = query.subarray(HEADER_BYTES, endOfQuestion(query));
  const wanted = question.readUInt16BE(question.length - 4) === TYPE_A;
  const records = wanted ? addresses.map(record) : [];
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(FLAGS, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records]);
}

/** Labels until the empty one, then type and class. */
function endOfQuestion(query: Buffer): number {
  let at = HEADER_BYTES;
  while (query[at] !== 0) at += 1 + query[at]!;
  return at + 1 + 4;
}

function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(SAME_NAME, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(CLASS_IN, 4);
  bytes.writeUInt32BE(TTL_S, 6);
  bytes.writeUInt16BE(4, 10);
  address.split('.').forEach((part, index) => bytes.writeUInt8(Number(part), 12 + index));
  return bytes;
}
