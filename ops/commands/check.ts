/** `bootstrap.mjs check`: the packages first, then `npm run check`, whose tools are among them. */
import { spawn } from 'node:child_process';
import { projectPath } from '@epd/service';

const npm = spawn('npm', ['run', '--silent', 'check'], { cwd: projectPath('.'), stdio: 'inherit' });
npm.once('exit', (code) => (process.exitCode = code ?? 1));
