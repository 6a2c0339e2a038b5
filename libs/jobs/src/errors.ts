/** Errors about the record of a job. A job that fails is not such an error: it is an ending. */
export class JobsError extends Error {
  override readonly name: string = 'JobsError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A page should start after a job that is not in the list. */
export class PlaceError extends JobsError {
  override readonly name = 'PlaceError';

  constructor(jobId: string) {
    super('place_unknown', `No job ${JSON.stringify(jobId.slice(0, 80))}: unknown or forgotten`);
  }
}

export const UNREADABLE = 'record_unreadable';

/** A record in Redis that this process cannot read. */
export class RecordError extends JobsError {
  override readonly name = 'RecordError';
  readonly jobId: string;
  /**
   * True: another version wrote it and can read it. False: it is damaged, and no version can read
   * it.
   */
  readonly foreign: boolean;

  constructor(jobId: string, reason: string, foreign: boolean, options?: ErrorOptions) {
    super(UNREADABLE, `The record of job ${jobId} cannot be read: ${reason}`, options);
    this.jobId = jobId;
    this.foreign = foreign;
  }
}
