import { RedisModelRegistry, type ModelCard, type ModelRevision } from '@epd/fleet';
import type { ModelFacts } from '@epd/model';
import { connectRedis } from '@epd/service';
import type { DoctorConfig } from './config.ts';
import { fail, guarded, ok, warn, type Finding } from './finding.ts';

/** Which workers are live, and whether they serve the model in the local folder. */
export function checkWorkers(config: DoctorConfig, card: ModelFacts | null): Promise<Finding[]> {
  return guarded('workers', 'See the findings for Redis', async () => {
    const redis = connectRedis(config.redisUrl, { name: 'doctor' });
    try {
      const registry = new RedisModelRegistry(redis, config.prefix);
      const models = await registry.models();
      if (models.length === 0) return [nobody(config.prefix)];
      const findings: Finding[] = [];
      for (const model of models) {
        findings.push(count(model.id, await registry.workers(model.id)));
        const revisions = await registry.revisions(model.id);
        findings.push(...pinned(model.id, revisions), ...mixed(model.id, revisions));
        if (model.id === card?.id) findings.push(same(card, model));
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
    `Start ${missing}; jobs are queued until then (an autoscaler may keep them at zero)`,
  );
}

/**
 * No worker serves a name that is pinned to a revision without workers, even if others are on
 * standby.
 */
function pinned(model: string, revisions: readonly ModelRevision[]): Finding[] {
  return revisions
    .filter((one) => one.pinned && one.workers === 0)
    .map(({ revision }) =>
      fail(
        `pinned revision of ${model}`,
        `the name is pinned to ${short(revision)}, which no worker serves: jobs are queued and then fail`,
        `Start a prefill/decode worker of that revision, or move the name with PUT /v1/admin/models/${model}/revision (null: to one that has workers)`,
      ),
    );
}

/** Workers of other revisions are on standby: intended in a rollout, a wrong folder otherwise. */
function mixed(model: string, revisions: readonly ModelRevision[]): Finding[] {
  const live = revisions.filter(({ workers }) => workers > 0);
  if (live.length < 2) return [];
  const found = live.map(
    ({ revision, workers, serving }) =>
      `${short(revision)} with ${workers} worker(s)${serving ? ', serving' : ''}`,
  );
  const fix = `Move the name with PUT /v1/admin/models/${model}/revision, or give every worker the same folder and variant`;
  return [warn(`revisions of ${model}`, found.join('; '), fix)];
}

function same(card: ModelFacts, registered: ModelCard): Finding {
  const check = `model folder of ${card.id}`;
  const fix = 'Give every worker the same folder and variant, and restart those that are behind';
  for (const digest of ['fingerprint', 'revision'] as const) {
    const [here, there] = [card[digest], registered[digest]];
    if (here === undefined || there === undefined || here === there) continue;
    const found = `the workers serve ${digest} ${short(there)}, here is ${short(here)}`;
    return fail(check, found, fix);
  }
  return ok(check, 'the workers serve this folder');
}

const short = (digest: string): string => digest.slice(0, 12);
