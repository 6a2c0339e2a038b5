/** How fast replicas may change: the larger of the two limits counts (KEDA's `selectPolicy: Max`). */
interface ScalePolicy {
  readonly stabilizationSeconds: number;
  readonly pods: number;
  readonly percent: number;
  readonly periodSeconds: number;
}

/** The settings of one ScaledObject, as the chart's values write them. */
export interface ScalerSettings {
  readonly min: number;
  readonly max: number;
  /** Amount of the metric that one worker is for. */
  readonly target: number;
  /** Without work for so long, the last worker goes too; only where `min` is 0. */
  readonly cooldownSeconds: number;
  readonly scaleUp: ScalePolicy;
  readonly scaleDown: ScalePolicy;
}

/** The autoscaler of Kubernetes leaves replicas alone while the metric is this near to its target. */
const TOLERANCE = 0.1;

/**
 * The rules of the HorizontalPodAutoscaler that KEDA drives, for one deployment: target by average
 * value, tolerance, stabilization windows and rate policies; and KEDA's own steps from and to zero.
 */
export class Scaler {
  readonly #settings: ScalerSettings;
  #recommendations: { atMs: number; replicas: number }[] = [];
  #changes: { atMs: number; by: number }[] = [];
  #busyMs = 0;

  constructor(settings: ScalerSettings) {
    this.#settings = settings;
  }

  /** Replicas wanted, given the metric now and the replicas there are. Call once in each period. */
  desired(nowMs: number, metric: number, current: number): number {
    const wanted = this.#bounded(nowMs, metric, current);
    if (wanted !== current) this.#changes.push({ atMs: nowMs, by: wanted - current });
    return wanted;
  }

  #bounded(nowMs: number, metric: number, current: number): number {
    const { min, max } = this.#settings;
    if (metric > 0) this.#busyMs = nowMs;
    if (current === 0) return metric > 0 ? Math.max(1, min) : min;
    if (min === 0 && nowMs - this.#busyMs >= this.#settings.cooldownSeconds * 1000) return 0;
    const raw = Math.min(max, Math.max(min, 1, this.#raw(metric, current)));
    return this.#limited(nowMs, this.#stabilized(nowMs, raw, current), current);
  }

  #raw(metric: number, current: number): number {
    const ratio = metric / (this.#settings.target * current);
    if (Math.abs(ratio - 1) <= TOLERANCE) return current;
    return Math.ceil(metric / this.#settings.target);
  }

  /** Down to the most, up to the least that was recommended within the window. */
  #stabilized(nowMs: number, raw: number, current: number): number {
    const { scaleUp, scaleDown } = this.#settings;
    this.#recommendations.push({ atMs: nowMs, replicas: raw });
    const windowSeconds = Math.max(scaleUp.stabilizationSeconds, scaleDown.stabilizationSeconds);
    this.#recommendations = this.#recommendations.filter(
      ({ atMs }) => nowMs - atMs <= windowSeconds * 1000,
    );
    const within = (seconds: number): number[] =>
      this.#recommendations
        .filter(({ atMs }) => nowMs - atMs <= seconds * 1000)
        .map(({ replicas }) => replicas);
    const floor = Math.max(...within(scaleDown.stabilizationSeconds));
    const ceiling = Math.min(...within(scaleUp.stabilizationSeconds));
    if (raw > current) return Math.max(current, ceiling);
    return Math.min(current, floor);
  }

  #limited(nowMs: number, wanted: number, current: number): number {
    if (wanted > current) {
      const { periodSeconds, pods, percent } = this.#settings.scaleUp;
      const before = current - this.#changed(nowMs, periodSeconds, 1);
      const most = Math.max(before + pods, Math.ceil(before * (1 + percent / 100)));
      return Math.min(wanted, Math.max(current, most));
    }
    const { periodSeconds, pods, percent } = this.#settings.scaleDown;
    const before = current - this.#changed(nowMs, periodSeconds, -1);
    const least = Math.min(before - pods, Math.floor(before * (1 - percent / 100)));
    return Math.max(wanted, Math.min(current, least));
  }

  #changed(nowMs: number, seconds: number, sign: 1 | -1): number {
    this.#changes = this.#changes.filter(({ atMs }) => nowMs - atMs < 3_600_000);
    return this.#changes
      .filter(({ atMs, by }) => nowMs - atMs < seconds * 1000 && Math.sign(by) === sign)
      .reduce((sum, { by }) => sum + by, 0);
  }
}
