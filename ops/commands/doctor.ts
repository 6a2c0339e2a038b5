/** `npm run doctor`. */
await import('../doctor/main.ts');
