import { hashFields } from '@epd/connector';

/** Changing how ids are made means changing this, so that old and new ids never meet. */
const DOMAIN = 'epd-fleet image id 1';
const HEX_DIGITS = 32;

/** What a tenant calls an image: `img_` and 32 hex digits. The same image of two tenants has two ids. */
export const imageId = (tenant: string, mmHash: string): string =>
  `img_${hashFields(DOMAIN, [tenant, mmHash]).slice(0, HEX_DIGITS)}`;

export const IMAGE_ID_PATTERN = '^img_[0-9a-f]{32}$';
