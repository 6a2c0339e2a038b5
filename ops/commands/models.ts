/** `npm run models -- pull | ls | rm | check`. */
await import('../models/main.ts');
