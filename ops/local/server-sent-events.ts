export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The events of a `text/event-stream` body, as they come. Comments and other fields are left out. */
export async function* serverSentEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent> {
  let fields: Record<string, string[]> = {};
  for await (const line of lines(body)) {
    if (line === '') {
      if (fields['data']) yield eventOf(fields);
      fields = {};
    } else if (!line.startsWith(':')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      (fields[name] ??= []).push(value);
    }
  }
}

function eventOf(fields: Record<string, string[]>): ServerSentEvent {
  return {
    id: fields['id']?.at(-1) ?? '',
    event: fields['event']?.at(-1) ?? 'message',
    data: fields['data']?.join('\n') ?? '',
  };
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const complete = rest.split(/\r?\n/);
    rest = complete.pop() ?? '';
    yield* complete;
  }
}
