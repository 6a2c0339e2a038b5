import { projectPath } from '@epd/service';
import { buildah, localBases } from '../tools/buildah.ts';

/**
 * `npm run images [-- target…]`: the images without a container engine and without an image
 * registry. Elsewhere `docker build` does it; see the head of the Dockerfile.
 */
const TARGETS = ['api', 'encoder', 'prefill-decode', 'index', 'ops'];

const chosen = process.argv.slice(2);
const { build, runtime } = await localBases();
for (const target of chosen.length > 0 ? chosen : TARGETS) {
  const folder = projectPath('infra/docker');
  const name = `localhost/epd-fleet/${target}`;
  const options = [
    `--target=${target}`,
    `--tag=${name}`,
    '--format=docker',
    '--layers=false',
    `--build-arg=BUILD=${build}`,
    `--build-arg=RUNTIME=${runtime}`,
    `--ignorefile=${folder}/Dockerfile.dockerignore`,
    `--file=${folder}/Dockerfile`,
  ];
  const output = await buildah(['bud', ...options, projectPath('.')]);
  process.stdout.write(`${output.trim().split('\n').at(-1)} ${name}\n`);
}
