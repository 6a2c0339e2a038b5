export { ImageIndexError, IndexRefusal, IndexUnavailableError } from './errors.ts';
export { IMAGE_ID_PATTERN, imageId } from './image-id.ts';
export { INDEX_QUERY_QUEUE, INDEX_WRITE_QUEUE, IndexClient } from './index-client.ts';
export {
  Notice,
  NoticePublisher,
  noticeStreamKey,
  parseNotice,
  type SeenNotice,
} from './notices.ts';
export {
  MAX_EXAMPLES,
  MAX_HITS,
  MAX_JOBS,
  MAX_METADATA_PAIRS,
  QueryRequest,
  WriteRequest,
  type Answers,
  type BackfillResult,
  type Example,
  type ImageFilter,
  type ImageHit,
  type IndexedImage,
  type Outcome,
  type RefusalCode,
} from './requests.ts';
