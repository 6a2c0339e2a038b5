import type { ECConnectorMetadata, ECConnectorOutput } from '@epd/connector';
import test from 'ava';
import { LocalConnector } from '../../../src/engine/index.ts';
import { generate, sampling, startEngine } from '../../helpers/engine.ts';
import { readGolden } from '../../helpers/golden.ts';

const { cases, embeddings } = await readGolden();

/** Notes how it is called. */
class NotingConnector extends LocalConnector {
  readonly calls: string[] = [];

  override bindConnectorMetadata(metadata: ECConnectorMetadata): void {
    this.calls.push('bind');
    super.bindConnectorMetadata(metadata);
  }

  override startLoadCaches(): void {
    this.calls.push('load');
    super.startLoadCaches();
  }

  override getFinished(): ECConnectorOutput {
    this.calls.push('finished');
    return super.getFinished();
  }

  override clearConnectorMetadata(): void {
    this.calls.push('clear');
    super.clearConnectorMetadata();
  }
}

test('each step binds, begins loads, asks what has finished and clears', async (t) => {
  const connector = new NotingConnector(embeddings);
  const engine = await startEngine(t, { connector: { scheduler: connector, worker: connector } });
  const first = cases.find(({ features }) => features.length > 0);
  if (!first) throw new Error('The golden cases have changed');
  await generate(engine, { id: 'a', ...first, sampling: sampling() });
  await engine.close();
  const steps = connector.calls.join(' ').split(/(?<=clear) /);
  t.true(steps.length > first.expected.length);
  t.deepEqual([...new Set(steps)], ['bind load finished clear']);
});
