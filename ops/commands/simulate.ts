/** `npm run simulate`. */
await import('../simulate/main.ts');
