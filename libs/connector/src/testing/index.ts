export { objectStoreConformance, type DeclareTest, type StoreFactory } from './conformance.ts';
export { givenS3, startS3, type EmbeddedS3, type S3Settings } from './s3.ts';
export { withClock } from './with-clock.ts';
