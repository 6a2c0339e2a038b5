export { PictureError, type PictureErrorCode } from './errors.ts';
export { decodePicture, rgbOf, type RgbPicture } from './decode-picture.ts';
export { readPictureHeader, type PictureHeader, type PictureType } from './read-picture-header.ts';
