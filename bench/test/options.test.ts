import test from 'ava';
import { readOptions, UsageError } from '../src/options.ts';

test('a command alone takes the defaults', (t) => {
  t.deepEqual(readOptions(['serve']), {
    command: 'serve',
    json: null,
    model: null,
    scale: 1,
    peer: null,
    full: false,
    peerThreads: null,
    providers: ['cpu'],
    encoders: 1,
    decoders: 1,
    schemas: null,
    cores: 'auto',
  });
});

test('options are read in any order', (t) => {
  const options = readOptions([
    '--json',
    'out.json',
    'ttft',
    '--scale',
    '0.5',
    '--model',
    'smolvlm',
    '--full',
  ]);
  t.like(options, { command: 'ttft', json: 'out.json', scale: 0.5, model: 'smolvlm', full: true });
});

for (const [title, args] of [
  ['no command', []],
  ['an unknown command', ['bake']],
  ['two commands', ['serve', 'ttft']],
  ['an unknown option', ['serve', '--speed', '9']],
  ['a scale above 1', ['serve', '--scale', '2']],
  ['a scale that is no number', ['serve', '--scale', 'half']],
  ['cores in another state', ['serve', '--cores', 'tired']],
  ['half an encoder', ['serve', '--encoders', '0.5']],
  ['no decoder', ['serve', '--decoders', '0']],
  ['an unknown model', ['serve', '--model', 'big']],
  ['an unknown peer', ['engine', '--peer', 'nobody']],
  ['a peer of the engine elsewhere', ['serve', '--peer', 'llama']],
] as const) {
  test(`${title} is refused`, (t) => {
    t.throws(() => readOptions(args), { instanceOf: UsageError });
  });
}
