import { Type } from 'typebox';

const MAX_METADATA = 16;

export const Metadata = Type.Record(
  Type.String({ maxLength: 64 }),
  Type.String({ maxLength: 512 }),
  { maxProperties: MAX_METADATA, description: 'Yours; returned unchanged.' },
);
