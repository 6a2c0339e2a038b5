import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import type { ExecutionContext } from 'ava';
import { isWeather, MODEL, QUESTION, Weather } from './weather.ts';

const weather = tool(async () => 'Rain.', {
  name: 'weather',
  description: 'The weather in a city',
  schema: Weather,
});

/** LangChain, over chat completions and over responses. */
export async function langchainWorks(t: ExecutionContext, baseURL: string): Promise<void> {
  for (const useResponsesApi of [false, true]) {
    const model = new ChatOpenAI({
      model: MODEL,
      apiKey: 'none',
      configuration: { baseURL },
      maxRetries: 0,
      temperature: 0,
      maxTokens: 400,
      useResponsesApi,
    });
    await callsTools(t, model);
    await answersBySchema(t, model);
  }
}

async function callsTools(t: ExecutionContext, model: ChatOpenAI): Promise<void> {
  const question = new HumanMessage(QUESTION);
  // Over responses it leaves out a choice that is no name.
  const bound = model.bindTools([weather], { tool_choice: 'weather', parallel_tool_calls: false });
  const first = await bound.invoke([question]);
  const calls = first.tool_calls ?? [];
  t.true(calls.length > 0);
  t.true(calls.every(({ args }) => isWeather(args)));
  const results = calls.map(
    ({ id = '' }) => new ToolMessage({ content: 'Rain.', tool_call_id: id }),
  );
  let streamed: Awaited<ReturnType<typeof bound.invoke>> | undefined;
  for await (const chunk of await bound.stream([question, first, ...results])) {
    streamed = streamed === undefined ? chunk : streamed.concat(chunk);
  }
  const again = streamed?.tool_calls ?? [];
  t.true(again.length > 0);
  t.true(again.every(({ args }) => isWeather(args)));
}

async function answersBySchema(t: ExecutionContext, model: ChatOpenAI): Promise<void> {
  for (const method of ['jsonSchema', 'functionCalling'] as const) {
    const answer = await model
      .withStructuredOutput(Weather, { name: 'weather', method })
      .invoke(QUESTION);
    t.true(isWeather(answer), method);
  }
}
