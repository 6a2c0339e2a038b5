import type { Job } from '@epd/jobs';
import { notesOf, type ResponseNotes } from '../../core/jobs/api-notes.ts';

const DEFAULT_NOTES: ResponseNotes = {
  instructions: null,
  previousResponseId: null,
  background: false,
  store: true,
  format: { type: 'text' },
  maxOutputTokens: null,
};

export const responseNotes = (job: Job): ResponseNotes => notesOf(job).response ?? DEFAULT_NOTES;
