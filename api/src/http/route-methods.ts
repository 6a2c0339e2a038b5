import type { FastifyInstance } from 'fastify';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/** A route's parameters stand for one part of a path each, its wildcard for the rest. */
const PARAMETER = /:\w+/g;
const SPECIAL = /[.+?^${}()|[\]\\]/g;

/** Remembers the routes that are added from now on, to say which methods a path has. */
export class RouteMethods {
  readonly #routes: KnownRoute[] = [];

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      this.#routes.push({ pattern: patternOf(url), methods: [method].flat() });
    });
  }

  /** None where there is no such path. */
  of(url: string): string[] {
    const path = url.replace(/\?.*$/s, '').replace(/(?<=.)\/+$/, '');
    const found = this.#routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].toSorted();
  }
}

function patternOf(url: string): RegExp {
  const path = url.replace(/(?<=.)\/+$/, '').replaceAll(SPECIAL, String.raw`\$&`);
  return new RegExp(`^${path.replaceAll('*', '.+').replaceAll(PARAMETER, '[^/]+')}$`);
}
