export { ImageTables } from './image-tables.ts';
export type { ImageRow } from './image-row.ts';
