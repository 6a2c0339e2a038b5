/** A grey square: small enough to read, real enough to be asked about. */
const PICTURE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFElEQVR4nGM4QSJgGNUwqmH4agAA+NpYH65gHiQAAAAASUVORK5CYII=';

const MESSAGES = [
  {
    role: 'user',
    content: [
      { type: 'image_url', image_url: { url: PICTURE } },
      { type: 'text', text: 'What does the picture show?' },
    ],
  },
];

/** Requests that run as they stand, against any model. */
export const EXAMPLES = {
  job: [
    { messages: MESSAGES, max_tokens: 32, temperature: 0 },
    {
      messages: [{ role: 'user', content: 'Say hello' }],
      max_tokens: 16,
      priority: 10,
      finish_within_s: 60,
      metadata: { order: '17' },
    },
  ],
  chat: [
    { messages: MESSAGES, max_completion_tokens: 32 },
    { messages: [{ role: 'user', content: 'Say hello' }], stream: true, max_completion_tokens: 16 },
  ],
  response: [
    { input: 'Say hello', max_output_tokens: 16 },
    { input: 'Say hello, later', background: true, max_output_tokens: 16 },
  ],
};
