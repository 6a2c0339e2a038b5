import { readFile } from 'node:fs/promises';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import type { ScalerSettings } from './scaler.ts';

const Count = Type.Integer({ minimum: 0 });
const Policy = Type.Object({
  stabilizationSeconds: Count,
  pods: Count,
  percent: Count,
  periodSeconds: Type.Integer({ minimum: 1 }),
});
const Scaling = Type.Object({
  min: Count,
  max: Type.Integer({ minimum: 1 }),
  target: Type.Number({ exclusiveMinimum: 0 }),
  cooldownSeconds: Count,
  scaleUp: Policy,
  scaleDown: Policy,
});
/** The part of the chart's values that the simulator goes by. */
const Autoscaling = Type.Object({
  autoscaling: Type.Object({
    pollingSeconds: Type.Integer({ minimum: 1 }),
    encoder: Scaling,
    prefillDecode: Scaling,
  }),
});

export interface ScalingSettings {
  readonly pollingSeconds: number;
  readonly encoder: ScalerSettings;
  readonly prefillDecode: ScalerSettings;
}

/** `autoscaling` of a values file, so that the simulation uses the cluster's settings. */
export async function readScaling(path: string): Promise<ScalingSettings> {
  const values: unknown = parse(await readFile(path, 'utf8'));
  if (Value.Check(Autoscaling, values)) return values.autoscaling;
  const [problem] = Value.Errors(Autoscaling, values);
  throw new Error(`${path}: ${problem?.instancePath ?? ''} ${problem?.message ?? ''}`);
}
