import { z } from 'zod';

/** Small enough that an answer held to it is short whatever the model: its weights choose among few. */
export const Weather = z.object({
  city: z.enum(['Oslo', 'Rome']),
  days: z.number().int().min(1).max(7),
});

export const WEATHER_SCHEMA = {
  type: 'object' as const,
  properties: {
    city: { type: 'string' as const, enum: ['Oslo', 'Rome'] },
    days: { type: 'integer' as const, minimum: 1, maximum: 7 },
  },
  required: ['city', 'days'],
  additionalProperties: false as const,
};

export const QUESTION = 'What is the weather in Oslo?';
export const MODEL = 'tiny-vlm';
/** Of answers that nothing ends but their model. */
export const MOST_TOKENS = 24;

export const isWeather = (value: unknown): boolean => Weather.safeParse(value).success;
export const isWeatherText = (text: string): boolean => isWeather(JSON.parse(text));
