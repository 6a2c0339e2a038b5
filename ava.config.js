export default {
  files: ['{api,bench,libs,ops,test,workers}/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  concurrency: 2,
  timeout: '120s',
};
