import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { projectPath } from '@epd/service';
import test, { type ExecutionContext } from 'ava';
import { withCurl } from '../../ops/tools/curl.ts';
import { sharedFleet } from '../helpers/shared-fleet.ts';

const run = promisify(execFile);
const ANSWER = /smiling face/i;
const PRINTED = 'http://127.0.0.1:8080';

/** The code blocks of a language in the README. */
async function snippets(language: string): Promise<string[]> {
  const readme = await readFile(projectPath('README.md'), 'utf8');
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code = '']) => code,
  );
}

test('the snippets of the README answer as they are', async (t) => {
  const fleet = await sharedFleet(t);
  const cwd = projectPath('.');
  const here = (code: string): string => code.replaceAll(PRINTED, fleet.url);
  const env = await withCurl();
  const asked = await snippets('sh');
  t.true(asked.length > 0);
  for (const code of asked) {
    const { stdout } = await run('bash', ['-c', here(code)], { cwd, env });
    t.regex(stdout, ANSWER);
  }
  const scripts = await snippets('js');
  t.true(scripts.length > 0);
  for (const code of scripts) {
    const args = ['--input-type=module', '--eval', here(code)];
    const { stdout } = await run(process.execPath, args, { cwd });
    t.regex(stdout, ANSWER);
  }
  const programs = await snippets('python');
  t.true(programs.length > 0);
  for (const code of programs) await tryPython(t, here(code));
});

/** `EPD_PYTHON`, else `python3`: one with the client runs the code, one without it compiles it at least. */
async function tryPython(t: ExecutionContext, code: string): Promise<void> {
  const python = process.env['EPD_PYTHON'] ?? 'python3';
  const output = async (program: string, ...args: string[]): Promise<string> =>
    (await run(python, ['-c', program, ...args], { cwd: projectPath('.') })).stdout;
  const has = (name: string): Promise<boolean> =>
    output(`import ${name}`).then(
      () => true,
      () => false,
    );
  if (!(await has('sys'))) t.log(`No ${python} here: the snippet in Python was not tried`);
  else if (await has('openai')) t.regex(await output(code), ANSWER);
  else await output('import sys; compile(sys.argv[1], "README.md", "exec")', code);
}
