import test from 'ava';
import { fleetOptions } from '../../local/fleet-options.ts';

test('without flags and environment a fleet has one of each, on the port and folder of the README', (t) => {
  const options = fleetOptions([], {});
  t.like(options, { encoders: 1, pds: 1, apis: 1, store: 'folder', host: '127.0.0.1', port: 8080 });
  t.regex(options.dataDir, /\/\.data$/);
  t.regex(options.modelDir, /\/models\/tiny-vlm$/);
});

test('flags set the size of each side, and no encoder at all is a fleet too', (t) => {
  const options = fleetOptions(['--encoders', '0', '--pds=3', '--apis', '2'], {});
  t.like(options, { encoders: 0, pds: 3, apis: 2 });
});

test('the flag names the store over the environment', (t) => {
  t.is(fleetOptions([], { EPD_STORE: 's3' }).store, 's3');
  t.is(fleetOptions(['--store', 'folder'], { EPD_STORE: 's3' }).store, 'folder');
});

for (const [flag, value, hint] of [
  ['index', 'true', /npm start -- --index;/],
  ['encoders', '2', /npm start -- --encoders 2;/],
] as const) {
  test(`--${flag} that npm kept for itself is not dropped in silence`, (t) => {
    t.throws(() => fleetOptions([], { [`npm_config_${flag}`]: value }), { message: hint });
  });
}

for (const [args, message] of [
  [['--encoders', 'two'], /--encoders: must be an integer from 0 to 64; it is "two"/],
  [['--apis', '0'], /--apis: must be an integer from 1 to 64/],
  [['--pds', '-1'], /--pds/],
  [['--store', 'tape'], /EPD_STORE: must be "folder" or "s3"; it is "tape"/],
  [['--decoders', '2'], /Unknown option '--decoders'\nnpm start -- --help/],
  [['extra'], /Unexpected argument 'extra'/],
] as const) {
  test(`${args.join(' ')} is refused`, (t) => {
    t.throws(() => fleetOptions(args, {}), { message });
  });
}
