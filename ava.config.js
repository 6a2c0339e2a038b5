export default {
  files: ['{api,bench,infra,libs,test,workers}/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  concurrency: 2,
  timeout: '120s',
};
