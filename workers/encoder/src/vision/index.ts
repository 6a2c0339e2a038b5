export { prepareVision } from '../graph/prepare-vision.ts';
export type { VisionOptions } from '../session/vision-messages.ts';
export { VisionSession } from '../session/vision-session.ts';
