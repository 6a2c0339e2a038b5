import { buildModel } from './src/model/build-model.ts';
import { smolvlmShape } from './src/model/shape.ts';
import ort from 'onnxruntime-node';
const scale = Number(process.argv[2]);
let t = Date.now();
const f = await buildModel(smolvlmShape(scale), {cacheFolder: '.cache/bench/models', tokenizerFolder: 'models/tiny-vlm'});
console.log(f, Date.now()-t, process.memoryUsage().rss/2**20);
for (const threads of [1,2]) {
t=Date.now();
const s = await ort.InferenceSession.create(f+'/onnx/vision_encoder.onnx', {intraOpNumThreads: threads});
console.log('load', Date.now()-t);
for (const n of [1,1,2]) {
t=Date.now();
await s.run({pixel_values: new ort.Tensor('float32', new Float32Array(n*3*512*512), [1,n,3,512,512]), pixel_attention_mask: new ort.Tensor('bool', new Uint8Array(n*512*512).fill(1), [1,n,512,512])});
console.log('threads', threads, 'images', n, Date.now()-t, 'ms', process.memoryUsage().rss/2**20);
}
await s.release();
}
