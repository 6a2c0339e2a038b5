export { prepareVision } from '../graph/prepare-vision.ts';
export type { ImageTiles, VisionOptions } from '../session/vision-messages.ts';
export { VisionSession } from '../session/vision-session.ts';
