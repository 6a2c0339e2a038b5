import test from 'ava';
import { simulate, type Strategy } from '../../simulate/simulate.ts';
import { request, settings, times } from '../helpers/simulation.ts';

const whole: Strategy = { name: 'whole', whole: { start: 1 } };
const split: Strategy = { name: 'split', encoders: { start: 1 }, decoders: { start: 1 } };

test('a text alone costs its prefill step and a step for each further token', (t) => {
  const [flight] = simulate([request()], times, whole, settings).flights;
  t.is(flight!.firstTokenMs, 10 + 20 * 0.5);
  t.is(flight!.doneMs, 20 + 2 * 11);
});

test('a long prompt is prefilled in chunks', (t) => {
  const [flight] = simulate([request({ promptTokens: 250 })], times, whole, settings).flights;
  t.is(flight!.firstTokenMs, 60 + 60 + 35);
});

test('rows share a step', (t) => {
  const trace = [request(), request()];
  const { flights } = simulate(trace, times, whole, settings);
  // The second arrives when the first is in its first step, and is prefilled in the next.
  t.is(flights[1]!.firstTokenMs, 20 + 10 + 1 + 10);
});

test('an image goes by way of an encoder, and is loaded before it is prefilled', (t) => {
  const [flight] = simulate([request({ images: ['a'] })], times, split, settings).flights;
  t.is(flight!.readyMs, 10 + 100 + 5 + 3);
  t.is(flight!.firstTokenMs, flight!.readyMs + 10 + 84 * 0.5);
});

test('equal images are encoded once, and again never', (t) => {
  const trace = [
    request({ images: ['a'] }),
    request({ images: ['a'], atMs: 50 }),
    request({ images: ['a'], atMs: 9_000 }),
  ];
  const { flights } = simulate(trace, times, split, settings);
  t.deepEqual(
    flights.map(({ readyMs }) => readyMs),
    [118, 118, 9_003],
  );
});

test('what waits for an encoder is taken in one batch, up to its budget', (t) => {
  const trace = Array.from({ length: 6 }, (_, index) => request({ images: [`i${index}`] }));
  const { flights } = simulate(trace, times, split, settings);
  const ready = flights.map(({ readyMs }) => readyMs);
  const four = 100 + (3 * 200) / 4;
  t.deepEqual(ready, [118, ...Array<number>(4).fill(118 + four), 118 + four + 100]);
});

test('in a monolith an image holds up the texts beside it; split, it does not', (t) => {
  const trace = [request({ outputTokens: 20 }), request({ atMs: 25, images: ['a'] })];
  const tpotMs = (strategy: Strategy): number => {
    const [text] = simulate(trace, times, strategy, settings).flights;
    return text!.doneMs - text!.firstTokenMs;
  };
  t.true(tpotMs(whole) > tpotMs(split) + 90);
});

test('worker-minutes are paid from order to departure, and until the last answer', (t) => {
  const outcome = simulate([request({ atMs: 60_000 })], times, split, settings);
  t.true(outcome.encoderMinutes > 1 && outcome.encoderMinutes < 1.01);
  t.is(outcome.decoderMinutes, outcome.encoderMinutes);
});

test('a fleet of nobody leaves requests unanswered and comes to an end', (t) => {
  const nobody: Strategy = { name: 'nobody', whole: { start: 0 } };
  const [flight] = simulate([request()], times, nobody, settings).flights;
  t.true(Number.isNaN(flight!.doneMs));
});

test('encoders scaled from zero come when there is an image, after their start', (t) => {
  const policy = { stabilizationSeconds: 0, pods: 4, percent: 100, periodSeconds: 15 };
  const scaler = {
    min: 0,
    max: 2,
    target: 64,
    cooldownSeconds: 60,
    scaleUp: policy,
    scaleDown: policy,
  };
  const strategy: Strategy = {
    name: 'scaled',
    encoders: { start: 0, scaler },
    decoders: { start: 1 },
  };
  const trace = [request({ atMs: 20_000, images: ['a'] }), request({ atMs: 200_000 })];
  const { flights, samples } = simulate(trace, times, strategy, settings);
  // Seen at the poll after its arrival, and 30 s to start.
  t.is(flights[0]!.readyMs, 30_000 + 30_000 + 118);
  t.is(samples.find(({ atMs }) => atMs === 19_000)!.encoders, 0);
  t.is(samples.at(-1)!.encoders, 0);
});
