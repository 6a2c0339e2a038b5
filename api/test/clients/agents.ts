import { Agent, OpenAIProvider, Runner, tool, type ModelSettings } from '@openai/agents';
import type { ExecutionContext } from 'ava';
import { isWeather, MODEL, MOST_TOKENS, QUESTION, Weather } from './weather.ts';

/** OpenAI's Agents, which speak responses: a tool, then a handoff to another agent. */
export async function agentsWork(t: ExecutionContext, baseURL: string): Promise<void> {
  for (const useResponses of [true, false]) {
    const modelProvider = new OpenAIProvider({ baseURL, apiKey: 'none', useResponses });
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    await callsTools(t, runner);
    await handsOff(t, runner);
  }
}

async function callsTools(t: ExecutionContext, runner: Runner): Promise<void> {
  const asked: unknown[] = [];
  const weather = tool({
    name: 'weather',
    description: 'The weather in a city',
    parameters: Weather,
    execute: async (input) => {
      asked.push(input);
      return 'Rain.';
    },
  });
  const agent = new Agent({
    name: 'Forecaster',
    instructions: 'Tell the weather',
    model: MODEL,
    modelSettings: required({ maxTokens: 200 }),
    tools: [weather],
    toolUseBehavior: 'stop_on_first_tool',
  });
  const { history, finalOutput } = await runner.run(agent, QUESTION);
  t.true(asked.length > 0);
  t.true(asked.every(isWeather));
  t.is(finalOutput, 'Rain.');

  // The items of the first turn are sent again, with their ids.
  const teller = new Agent({
    name: 'Teller',
    model: MODEL,
    modelSettings: { maxTokens: MOST_TOKENS, temperature: 0 },
  });
  const next = await runner.run(teller, [...history, { role: 'user', content: 'In a word?' }]);
  t.is(typeof next.finalOutput, 'string');
}

async function handsOff(t: ExecutionContext, runner: Runner): Promise<void> {
  const modelSettings = { maxTokens: MOST_TOKENS, temperature: 0 };
  const teller = new Agent({ name: 'Teller', model: MODEL, modelSettings });
  const desk = new Agent({
    name: 'Desk',
    instructions: 'Hand every question to the teller',
    model: MODEL,
    modelSettings: required({ maxTokens: 200 }),
    handoffs: [teller],
  });
  const { lastAgent } = await runner.run(desk, QUESTION);
  t.is(lastAgent?.name, 'Teller');
}

const required = (more: ModelSettings): ModelSettings => ({
  toolChoice: 'required',
  temperature: 0,
  parallelToolCalls: false,
  ...more,
});
