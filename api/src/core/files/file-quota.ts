import type { Tenant } from '../auth/tenant.ts';
import type { FileQuota } from './file-account.ts';

export const fileQuota = ({ limits }: Pick<Tenant, 'limits'>): FileQuota => ({
  files: limits.files,
  bytes: limits.fileBytes,
});
