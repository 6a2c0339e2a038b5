import { tool } from '@llamaindex/core/tools';
import { OpenAI } from '@llamaindex/openai';
import type { ExecutionContext } from 'ava';
import { isWeather, isWeatherText, MODEL, QUESTION, Weather } from './weather.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters: Weather,
  execute: () => 'Rain.',
});

/** LlamaIndex, over chat completions. */
export async function llamaIndexWorks(t: ExecutionContext, baseURL: string): Promise<void> {
  const llm = new OpenAI({
    model: MODEL,
    apiKey: 'none',
    baseURL,
    maxTokens: 400,
    maxRetries: 0,
    temperature: 0,
  });
  const messages = [{ role: 'user' as const, content: QUESTION }];
  const { message } = await llm.chat({
    messages,
    tools: [weather],
    additionalChatOptions: { tool_choice: 'required', parallel_tool_calls: false },
  });
  const calls = message.options && 'toolCall' in message.options ? message.options.toolCall : [];
  t.true(calls.length > 0);
  t.true(
    calls.every(({ input }) => isWeather(typeof input === 'string' ? JSON.parse(input) : input)),
  );

  const answer = await llm.chat({ messages, responseFormat: Weather });
  t.true(isWeatherContent(answer.message.content));

  const results = calls.map(({ id }) => ({
    role: 'user' as const,
    content: 'Rain.',
    options: { toolResult: { id, result: 'Rain.', isError: false } },
  }));
  const next = await llm.chat({
    messages: [...messages, message, ...results],
    responseFormat: Weather,
  });
  t.true(isWeatherContent(next.message.content));
}

const isWeatherContent = (content: unknown): boolean =>
  typeof content === 'string' && isWeatherText(content);
