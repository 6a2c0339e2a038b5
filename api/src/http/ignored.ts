import { Type } from 'typebox';

/** Begins the description of every field that is taken from clients and has no effect here. */
export const IGNORED = 'Accepted and ignored';

/** Accepted from OpenAI's clients, and without effect here. */
export const Ignored = Type.Optional(Type.Unknown({ description: `${IGNORED}.` }));
