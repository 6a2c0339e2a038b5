import { modelVariables } from '@epd/hub';
import { describeConfig, fleetConfig, tracingConfig, type ConfigRow } from '@epd/service';
import { Type, type TObject } from 'typebox';
/* oxlint-disable no-restricted-imports -- the reference is made of the services' own schemas */
import { configSchema as api } from '../../api/src/config.ts';
import { configSchema as encoder } from '../../workers/encoder/src/config.ts';
import { configSchema as index } from '../../workers/index/src/config.ts';
import { configSchema as prefillDecode } from '../../workers/prefill-decode/src/config.ts';
/* oxlint-enable no-restricted-imports */
import { doctorConfig } from '../doctor/config.ts';

const PARTS: readonly (readonly [title: string, schema: TObject])[] = [
  ['API', api],
  ['Encoder', encoder],
  ['Prefill/decode worker', prefillDecode],
  ['Index worker', index],
  ['Doctor', doctorConfig],
];

/** What every process reads comes first, and is not repeated. */
const SHARED = Type.Object({
  ...fleetConfig.redis,
  ...fleetConfig.store,
  ...modelVariables,
  ...fleetConfig.service,
  ...fleetConfig.metrics,
  ...fleetConfig.index,
  ...tracingConfig,
});

/** Names of every setting of the services, for checking what is written elsewhere. */
export function settingNames(): Set<string> {
  return new Set(PARTS.flatMap(([, schema]) => describeConfig(schema).map(({ name }) => name)));
}

/** Names of the settings that are secret and that a part reads, by the part's title. */
export function secretSettings(part: string): string[] {
  const schemas = PARTS.filter(([title]) => title === part).map(([, schema]) => schema);
  const rows = schemas.flatMap((schema) => describeConfig(schema));
  return rows.filter(({ secret }) => secret).map(({ name }) => name);
}

/** `docs/configuration.md` as it should be. */
export function configReference(): string {
  const shared = describeConfig(SHARED).filter(({ name }) => settingNames().has(name));
  const sharedNames = new Set(shared.map(({ name }) => name));
  return [
    '# Configuration',
    '',
    'Made of the code by `npm run docs:config`; a test holds it current. Every process reads its settings',
    'from the environment, once, at its start, and says everything that is wrong with them. An empty',
    'variable counts as not set. Relative paths count from the project’s folder.',
    '',
    '## Shared',
    '',
    'Read under the same names by every service that has a use for them.',
    '',
    readers(shared),
    ...PARTS.flatMap(([title, schema]) => [
      '',
      `## ${title}`,
      '',
      table(describeConfig(schema).filter(({ name }) => !sharedNames.has(name))),
    ]),
    '',
  ].join('\n');
}

function readers(rows: readonly ConfigRow[]): string {
  const services = PARTS.slice(0, 4);
  const named = services.map(
    ([title, schema]) => [title, new Set(describeConfig(schema).map(({ name }) => name))] as const,
  );
  const readBy = ({ name }: ConfigRow): string =>
    named
      .filter(([, names]) => names.has(name))
      .map(([title]) => title)
      .join(', ');
  const head = [
    '| setting | must be | default | what it is | read by |',
    '| --- | --- | --- | --- | --- |',
  ];
  return [...head, ...rows.map((row) => `${line(row)} ${readBy(row)} |`)].join('\n');
}

function table(rows: readonly ConfigRow[]): string {
  return [
    '| setting | must be | default | what it is |',
    '| --- | --- | --- | --- |',
    ...rows.map(line),
  ].join('\n');
}

function line({ name, type, default: value, required, description }: ConfigRow): string {
  const shown = value === null ? (required ? '**required**' : '') : `\`${value || ' '}\``;
  return `| \`${name}\` | ${cell(type)} | ${value === '' ? '' : cell(shown)} | ${cell(description)} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
