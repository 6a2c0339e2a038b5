/** What goes wrong with the record of a job itself. A job that fails is no error here: it is an ending. */
export class JobsError extends Error {
  override readonly name: string = 'JobsError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A page was to begin after a job that has no place in the list. */
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
  /** Written by another version, which can read it. Otherwise it is damaged: nobody can. */
  readonly foreign: boolean;

  constructor(jobId: string, reason: string, foreign: boolean, options?: ErrorOptions) {
    super(UNREADABLE, `The record of job ${jobId} cannot be read: ${reason}`, options);
    this.jobId = jobId;
    this.foreign = foreign;
  }
}
