import { Type, type Static, type TObject } from 'typebox';

/** Tags that callers of other servers send, and what to send here in their place. */
export type Instead = Readonly<Record<string, string>>;

/**
 * A union told apart by the literal under `tag`: errors then speak of the chosen member alone, and of what does
 * instead of a tag that it lacks.
 */
export const Tagged = <const Members extends readonly TObject[]>(
  tag: string,
  members: Members,
  instead: Instead = {},
) =>
  Type.Unsafe<Static<Members[number]>>({
    type: 'object',
    required: [tag],
    discriminator: { propertyName: tag },
    oneOf: members,
    ...(Object.keys(instead).length === 0 ? {} : { 'x-instead': instead }),
  });
