import test from 'ava';
import { helmBinary } from '../../tools/helm.ts';
import { prometheusTools } from '../../tools/prometheus.ts';
import { run } from '../../tools/run.ts';

test('helm comes without being installed', async (t) => {
  t.regex(await run(await helmBinary(), ['version', '--short']), /^v[34]\./);
});

test("Debian's prometheus and promtool come without being installed", async (t) => {
  const { prometheus, promtool } = await prometheusTools();
  t.regex(await run(prometheus, ['--version']), /^prometheus, version 2\./);
  t.regex(await run(promtool, ['--version']), /^promtool, version 2\./);
});

test('a program that fails says what it wrote', async (t) => {
  const error = await t.throwsAsync(run('sh', ['-c', 'echo no such luck >&2; exit 3']));
  t.regex(error.message, /no such luck/);
});
