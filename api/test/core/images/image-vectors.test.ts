import type { InputRef } from '@epd/connector';
import test from 'ava';
import type { EncodedImages } from '../../../src/core/images/encoded-images.ts';
import { ImageVectors } from '../../../src/core/images/image-vectors.ts';
import { Gatekeeper } from '../../../src/core/limits/gatekeeper.ts';
import { ApiError } from '../../../src/http/errors.ts';
import { testApi } from '../../helpers/test-api.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';

const SIZE = { width: 8, height: 8, mediaType: 'image/png' };

test('an encode has the priority of its tenant, and what it costs is given back where it fails', async (t) => {
  const LIMIT = 10_000;
  const { services, admission } = await testApi(t, {
    tokensPerMinute: LIMIT,
    tenantMinPriority: 7,
  });
  const left = async () => (await services.limiter.look('alice', 'tokens', LIMIT, 1)).remaining;
  const seen: { priority: number; left: number }[] = [];
  const load: EncodedImages['load'] = async (_image, _card, { priority }) => {
    seen.push({ priority, left: await left() });
    throw new ApiError('unavailable', 'No encoder');
  };
  const { limiter, throughput } = services;
  const gatekeeper = new Gatekeeper({ admission, limiter, throughput, maxWaitingCost: 0 });
  const input: InputRef = {
    key: 'k',
    sha256: 'a'.repeat(64),
    modality: 'image',
    bytes: 1,
    ...SIZE,
  };
  const resolver = { take: () => Promise.resolve({ input, kept: Promise.resolve() }) };
  const vectors = new ImageVectors({ resolver, gatekeeper, encoded: { load } });
  const memory = services.memory.open('alice');
  const tenant = await services.tenants.get('alice');
  const context = { card: TEST_CARD, tenant, memory, signal: new AbortController().signal };
  const asked = vectors.of({ url: 'https://a.example/b.png', param: 'image' }, context);
  await t.throwsAsync(asked, { code: 'unavailable' });
  t.is(seen[0]?.priority, 7);
  t.true((seen[0]?.left ?? LIMIT) < LIMIT - 1, 'it was taken');
  t.is(await left(), LIMIT - 1);
});
