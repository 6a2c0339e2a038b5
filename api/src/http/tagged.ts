import { Type, type Static, type TObject } from 'typebox';

/** A union told apart by the literal under `tag`: errors then speak of the chosen member alone. */
export const Tagged = <const Members extends readonly TObject[]>(tag: string, members: Members) =>
  Type.Unsafe<Static<Members[number]>>({
    type: 'object',
    required: [tag],
    discriminator: { propertyName: tag },
    oneOf: members,
  });
