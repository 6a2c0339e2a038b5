/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
/**
 * What a job's stage events say, as spans on one axis of milliseconds since it was accepted.
 * `images`: of how many pictures; `untilMs`: its end, or now.
 */
export function spansOf(events, images, untilMs) {
  const stages = events.filter(({ type }) => type === 'stage');
  const pictures = Array.from({ length: images }, (_, item) =>
    pictureSpans(
      stages.filter((event) => event.item === item),
      untilMs,
    ),
  );
  const decoder = decoderSpans(stages, untilMs);
  return { pictures, decoder, overlapMs: overlapOf(pictures.flat(), decoder) };
}

/**
 * Waits, is encoded, waits for the decoder; without the encoding where its embedding was there already. A decoder
 * that has the embedding before it is stored has ended the encoding.
 */
function pictureSpans(stages, untilMs) {
  const encoding = msOf(stages, 'encoding');
  const stored = msOf(stages, 'stored');
  const loaded = msOf(stages, 'loaded');
  const asked = encoding ?? stored ?? loaded ?? untilMs;
  const encoded = Math.min(stored ?? untilMs, loaded ?? untilMs);
  return [
    span('waiting', 0, asked),
    ...(encoding === undefined ? [] : [span('encoding', encoding, encoded)]),
    ...(stored === undefined ? [] : [span('ready', encoded, loaded ?? untilMs)]),
    ...(loaded === undefined ? [] : [span('loaded', loaded, loaded)]),
  ].filter(isSeen);
}

/** Waits, reads the prompt with pauses for embeddings that it comes to, and answers. */
function decoderSpans(stages, untilMs) {
  const prefill = msOf(stages, 'prefill');
  const first = msOf(stages, 'first_token');
  if (prefill === undefined) return [span('waiting', 0, untilMs)].filter(isSeen);
  const read = first ?? untilMs;
  const pauses = pausesOf(stages, read);
  const edges = [prefill, ...pauses.flatMap(({ from, to }) => [from, to]), read];
  const reading = Array.from({ length: edges.length / 2 }, (_, index) =>
    span('reading', edges[2 * index], edges[2 * index + 1]),
  );
  return [
    span('waiting', 0, prefill),
    ...reading,
    ...pauses,
    ...(first === undefined ? [] : [span('answering', first, untilMs)]),
  ].filter(isSeen);
}

/** From each time that the decoder had to wait until that picture was loaded. They follow on each other. */
function pausesOf(stages, read) {
  const pauses = [];
  let after = 0;
  for (const { item, ms } of stages.filter(({ stage }) => stage === 'waiting_for_embeddings')) {
    const own = stages.filter((event) => event.item === item && event.ms >= ms);
    const from = Math.max(ms, after);
    const to = Math.min(msOf(own, 'loaded') ?? read, read);
    if (to > from) pauses.push(span('held', from, to));
    after = Math.max(after, to);
  }
  return pauses;
}

/** For how long pictures were encoded while the decoder was reading or answering. */
function overlapOf(pictures, decoder) {
  const busy = decoder.filter(({ kind }) => kind === 'reading' || kind === 'answering');
  const encoding = union(pictures.filter(({ kind }) => kind === 'encoding'));
  let ms = 0;
  for (const one of encoding)
    for (const other of busy)
      ms += Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));
  return ms;
}

function union(spans) {
  const merged = [];
  for (const next of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && next.from <= last.to) last.to = Math.max(last.to, next.to);
    else merged.push({ ...next });
  }
  return merged;
}

const span = (kind, from, to) => ({ kind, from, to: Math.max(from, to) });
/** What has happened is seen, however short it was. */
const isSeen = ({ kind, from, to }) => to > from || kind === 'loaded' || kind === 'encoding';
const msOf = (stages, name) => stages.find(({ stage }) => stage === name)?.ms;
