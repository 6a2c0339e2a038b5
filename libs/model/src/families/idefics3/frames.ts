import { roundHalfToEven } from '../../family/round-half-to-even.ts';

/** How SmolVLM2 watches a video: which of its frames, and in which words. */
export interface FrameRules {
  /** Most frames of one video. */
  readonly most: number;
  /** Frames a second that the model was trained on. */
  readonly perSecond: number;
  /** Longer side, in pixels, that a frame is scaled to before it becomes a square. */
  readonly longestEdge: number;
}

/** A video as its sender has it: so many frames, taken at an even rate. */
export interface Video {
  readonly count: number;
  readonly fps: number;
}

/** What stands in the prompt for a video. */
export interface VideoPlan {
  readonly intro: string;
  /** Indexes of the sender's frames, each with what stands before it. */
  readonly frames: readonly { readonly index: number; readonly text: string }[];
  readonly outro: string;
}

/** Of a long video the first and last second are not shown. */
const SKIPPED_S = 1;

/** The arithmetic and the words are those of Hugging Face's SmolVLM processor. */
export function planVideo(video: Video, rules: FrameRules): VideoPlan {
  const seconds = video.count / video.fps;
  const frames = sampled(video, rules);
  return {
    intro: `You are provided the following series of ${inWords(frames.length)} frames from a ${hours(seconds)} [H:MM:SS] video.\n`,
    frames: frames.map((index) => ({
      index,
      text: `\nFrame from ${minutes(index / video.fps)}:`,
    })),
    outro: '\n\n',
  };
}

/** Evenly from the first to the last that count. */
function sampled({ count, fps }: Video, { most, perSecond }: FrameRules): number[] {
  const seconds = count / fps;
  const wanted = Math.max(1, Math.min(roundHalfToEven(perSecond * seconds), most));
  const [first, last] = bounds(count, fps, seconds - 2 * SKIPPED_S > most * perSecond);
  const step = wanted === 1 ? 0 : (last - first) / (wanted - 1);
  const all = Array.from({ length: wanted }, (_, at) =>
    at > 0 && at === wanted - 1 ? last : Math.floor(first + at * step),
  );
  return [...new Set(all)];
}

function bounds(count: number, fps: number, isLong: boolean): [first: number, last: number] {
  if (!isLong) return [0, count - 1];
  const first = Math.trunc(SKIPPED_S * fps);
  const last = Math.min(Math.trunc(count - SKIPPED_S * fps), count - 1);
  return first < last ? [first, last] : [0, count - 1];
}

const two = (value: number): string => String(value).padStart(2, '0');

const minutes = (seconds: number): string =>
  `${two(Math.floor(seconds / 60))}:${two(Math.floor(seconds % 60))}`;

function hours(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** Whole numbers below a thousand, as `num2words` writes them. */
export function inWords(value: number): string {
  if (value < 20) return SMALL[value] ?? '';
  if (value >= 100) {
    const rest = value % 100;
    return `${SMALL[Math.floor(value / 100)]} hundred${rest === 0 ? '' : ` and ${inWords(rest)}`}`;
  }
  const tens = TENS[Math.floor(value / 10) - 2] ?? '';
  return value % 10 === 0 ? tens : `${tens}-${SMALL[value % 10]}`;
}
