export { prepareVision } from '../graph/prepare-vision.ts';
export type { VisionOptions } from './vision-messages.ts';
export { VisionSession } from './vision-session.ts';
