import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, Output, stepCountIs, streamText, tool, type LanguageModel } from 'ai';
import type { ExecutionContext } from 'ava';
import { isWeather, MODEL, MOST_TOKENS, QUESTION, Weather } from './weather.ts';

/** The likeliest token each time: what it calls does not differ from run to run. */
const SHARED = { temperature: 0, maxRetries: 0 };

/** Vercel's AI SDK: its provider for OpenAI, which speaks responses, and the one for compatible servers. */
export async function aiSdkWorks(t: ExecutionContext, baseURL: string): Promise<void> {
  const openai = createOpenAI({ baseURL, apiKey: 'none' });
  const compatible = createOpenAICompatible({
    name: 'epd',
    baseURL,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  const asked = { parallelToolCalls: false };
  for (const model of [openai(MODEL), openai.chat(MODEL), compatible(MODEL)]) {
    await callsInSteps(t, model, { openai: asked });
    await answersBySchema(t, model);
    await answersBySchemaBesideTools(t, model);
    await takesTurns(t, model);
  }
  await callsInSteps(t, openai(MODEL), { openai: { ...asked, store: false } });
}

async function callsInSteps(
  t: ExecutionContext,
  model: LanguageModel,
  providerOptions: { openai: { parallelToolCalls: boolean; store?: boolean } },
): Promise<void> {
  const asked: unknown[] = [];
  const weather = tool({
    description: 'The weather in a city',
    inputSchema: Weather,
    execute: async (input) => {
      asked.push(input);
      return { sky: 'rain' };
    },
  });
  const { steps, finishReason } = await generateText({
    model,
    prompt: QUESTION,
    tools: { weather },
    toolChoice: 'required',
    ...SHARED,
    maxOutputTokens: 400,
    providerOptions,
    // Two steps call, the third tells.
    stopWhen: stepCountIs(3),
    prepareStep: ({ stepNumber }) => (stepNumber < 2 ? {} : { toolChoice: 'none' }),
  });
  t.is(steps.length, 3);
  t.true(asked.length >= 2);
  t.true(asked.every(isWeather));
  t.true(['stop', 'length'].includes(finishReason), finishReason);
}

async function answersBySchema(t: ExecutionContext, model: LanguageModel): Promise<void> {
  const { output } = await generateText({
    model,
    prompt: QUESTION,
    output: Output.object({ schema: Weather }),
    ...SHARED,
  });
  t.true(isWeather(output));
}

/** Each step calls, or answers by the schema; the last one has no other choice. */
async function answersBySchemaBesideTools(
  t: ExecutionContext,
  model: LanguageModel,
): Promise<void> {
  const weather = tool({
    description: 'The weather in a city',
    inputSchema: Weather,
    execute: async (input) => t.true(isWeather(input)),
  });
  const { output } = await generateText({
    model,
    prompt: QUESTION,
    tools: { weather },
    output: Output.object({ schema: Weather }),
    ...SHARED,
    stopWhen: stepCountIs(2),
    prepareStep: ({ stepNumber }) => (stepNumber < 1 ? {} : { toolChoice: 'none' }),
  });
  t.true(isWeather(output));
}

async function takesTurns(t: ExecutionContext, model: LanguageModel): Promise<void> {
  const options = { model, ...SHARED, maxOutputTokens: MOST_TOKENS };
  const first = await generateText({ ...options, prompt: QUESTION });
  const second = streamText({
    ...options,
    messages: [
      { role: 'user', content: QUESTION },
      ...first.response.messages,
      { role: 'user', content: 'And in Rome?' },
    ],
  });
  t.is(await second.text.then((text) => typeof text), 'string');
  const [before, after] = [first.usage.inputTokens ?? 0, (await second.usage).inputTokens ?? 0];
  t.true(after > before, `${before} ${after}`);
}
