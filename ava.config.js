export default {
  // The second is written by `npm test`: test files that run in one process.
  files: ['{api,bench,libs,ops,test,workers}/**/*.test.ts', '.cache/test-groups/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  concurrency: 2,
  timeout: '120s',
};
