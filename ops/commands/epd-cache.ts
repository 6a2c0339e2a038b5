/** `npm run epd-cache`. */
await import('../cache/main.ts');
