import type { Static, TObject } from 'typebox';
import { ConfigError, type ConfigProblem } from './errors.ts';
import { expectation, parseValue, type VariableSchema } from './config-value.ts';
import { projectPath } from './project-path.ts';

/** What a property of a configuration schema has besides its type. */
export interface ConfigProperty extends VariableSchema {
  /** Name of the variable. */
  readonly env: string;
  readonly default?: string | number | boolean | readonly (string | number | boolean)[];
  readonly description?: string;
  /** Its value never appears in messages. */
  readonly secret?: boolean;
  /** A path: made absolute, relative to the project's folder. */
  readonly path?: boolean;
}

/** A row of a service's documentation. */
export interface ConfigRow {
  readonly name: string;
  readonly type: string;
  /** As written in the environment; null: none. */
  readonly default: string | null;
  readonly required: boolean;
  readonly secret: boolean;
  readonly description: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment as one frozen, typed object. An empty variable counts as not set, because compose
 * files and charts write that for "no value". Throws ConfigError with every problem found.
 */
export function readConfig<T extends TObject>(
  schema: T,
  env: Environment = process.env,
): Readonly<Static<T>> {
  const problems: ConfigProblem[] = [];
  const config: Record<string, unknown> = {};
  for (const [key, property] of properties(schema)) {
    const value = read(property, env[property.env] || undefined, isRequired(schema, key), problems);
    if (value !== undefined) config[key] = value;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  // Every property was checked against its schema above; the compiler cannot follow that.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.freeze(config) as Readonly<Static<T>>;
}

/** The variables of a schema, for documentation and `--help`. */
export function describeConfig(schema: TObject): ConfigRow[] {
  return properties(schema).map(([key, property]) => ({
    name: property.env,
    type: expectation(property),
    default: property.default === undefined ? null : String(property.default),
    required: isRequired(schema, key) && property.default === undefined,
    secret: property.secret ?? false,
    description: property.description ?? '',
  }));
}

function properties(schema: TObject): [string, ConfigProperty][] {
  return Object.entries(schema.properties).map(([key, property]) => {
    if (!isConfigProperty(property))
      throw new TypeError(`Property ${key} names no variable: add \`env\``);
    return [key, property];
  });
}

function isConfigProperty(property: object): property is ConfigProperty {
  return 'env' in property && typeof property.env === 'string';
}

function isRequired(schema: TObject, key: string): boolean {
  return (schema.required as readonly string[] | undefined)?.includes(key) ?? false;
}

function read(
  property: ConfigProperty,
  text: string | undefined,
  required: boolean,
  problems: ConfigProblem[],
): unknown {
  const { env: variable } = property;
  if (text === undefined) {
    if (property.default === undefined && required) {
      problems.push({ variable, expected: expectation(property) });
    }
    return finished(property, property.default);
  }
  const value = parseValue(property, text);
  if (value === undefined) {
    const shown = property.secret ? '(hidden)' : text;
    problems.push({ variable, expected: expectation(property), value: shown });
  }
  return finished(property, value);
}

function finished(property: ConfigProperty, value: unknown): unknown {
  if (property.path && typeof value === 'string') return projectPath(value);
  return Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value;
}
