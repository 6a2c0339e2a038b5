import { eventually } from '@epd/service/testing';
import test from 'ava';
import { askedLater } from '../helpers/load.ts';
import { at, render } from '../helpers/manifests.ts';
import { prometheusServer } from '../helpers/prometheus-server.ts';
import { registerModel } from '../helpers/register-model.ts';
import { runningFleet } from '../helpers/running-fleet.ts';

const WITHIN = { withinMs: 30_000, everyMs: 200 };

/** The expression that KEDA asks Prometheus for, by the deployment that it scales. */
async function queries(): Promise<Record<string, string>> {
  const manifests = await render({ model: { name: 'tiny-vlm' } });
  const scaled = manifests.filter(({ kind }) => kind === 'ScaledObject');
  return Object.fromEntries(
    scaled.map(({ metadata, ...object }) => [
      metadata.name,
      String(at(object, 'spec.triggers.0.metadata.query')),
    ]),
  );
}

test('the scalers get an answer while only the API runs: 0, and what wakes workers once a job waits', async (t) => {
  t.timeout(120_000);
  const fleet = await runningFleet(t, ['epd-api']);
  await registerModel(t, fleet.prefix);
  const prometheus = await prometheusServer(t, fleet.targets);
  const asked = await queries();
  t.deepEqual(Object.keys(asked), ['fleet-encoder', 'fleet-prefill-decode']);
  const values = async (): Promise<number[]> => {
    const answers = await Promise.all(Object.values(asked).map((expr) => prometheus.query(expr)));
    return answers.map(([sample]) => Number(sample?.value[1]));
  };
  await eventually(async () => (await values()).every((value) => value === 0), WITHIN);
  await askedLater(fleet.url);
  // Whatever is above KEDA's activationThreshold of 0 starts the first replica.
  await eventually(async () => (await values()).every((value) => value > 0), WITHIN);
  t.is((await values())[1], 1);
});
