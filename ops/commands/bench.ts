/** `npm run bench`. */
await import('../../bench/src/main.ts');
