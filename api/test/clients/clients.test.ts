import test from 'ava';
import { startFleet } from '../../../test/helpers/fleet.ts';
import { agentsWork } from './agents.ts';
import { aiSdkWorks } from './ai-sdk.ts';
import { langchainWorks } from './langchain.ts';
import { llamaIndexWorks } from './llamaindex.ts';
import { openaiWorks } from './openai.ts';

const CLIENTS = { openaiWorks, aiSdkWorks, langchainWorks, agentsWork, llamaIndexWorks };

test('unmodified clients call tools, answer by schemas and take a second turn', async (t) => {
  t.timeout(300_000);
  const fleet = await startFleet(t, { encoders: 0 });
  for (const [name, works] of Object.entries(CLIENTS)) {
    t.log(name);
    await works(t, `${fleet.url}/v1`);
  }
});
