import { RedisModelRegistry } from '@epd/fleet';
import type { ModelFacts } from '@epd/model';
import { connectRedis } from '@epd/service';
import type { DoctorConfig } from './config.ts';
import { fail, guarded, ok, warn, type Finding } from './finding.ts';

/** Who is at work, and whether they serve the model that is in the folder here. */
export function checkWorkers(config: DoctorConfig, card: ModelFacts | null): Promise<Finding[]> {
  return guarded('workers', 'See what is said of Redis', async () => {
    const redis = connectRedis(config.redisUrl, { name: 'doctor' });
    try {
      const registry = new RedisModelRegistry(redis, config.prefix);
      const models = await registry.models();
      if (models.length === 0) return [nobody(config.prefix)];
      const findings: Finding[] = [];
      for (const model of models) {
        findings.push(count(model.id, await registry.workers(model.id)));
        if (model.id === card?.id) findings.push(same(card, model.fingerprint));
      }
      return findings;
    } finally {
      redis.disconnect();
    }
  });
}

function nobody(prefix: string): Finding {
  const fix = `Start an encoder and a prefill/decode worker with EPD_PREFIX=${prefix} and this Redis`;
  return warn('workers', 'no worker has ever registered a model', fix);
}

function count(
  model: string,
  { encoder, prefillDecode }: { encoder: number; prefillDecode: number },
): Finding {
  const check = `workers for ${model}`;
  const found = `${encoder} encoder(s), ${prefillDecode} prefill/decode`;
  if (encoder > 0 && prefillDecode > 0) return ok(check, found);
  const missing = encoder === 0 ? 'an encoder' : 'a prefill/decode worker';
  return warn(
    check,
    found,
    `Start ${missing}; jobs wait until then (a scaler may hold them at zero)`,
  );
}

function same(card: ModelFacts, registered: string): Finding {
  const check = `model folder of ${card.id}`;
  if (card.fingerprint === registered) return ok(check, 'the workers serve this folder');
  const found = `the workers serve fingerprint ${registered.slice(0, 12)}, here is ${card.fingerprint.slice(0, 12)}`;
  const fix = 'Give every worker the same folder and variant, and restart those that are behind';
  return fail(check, found, fix);
}
