"""Makes variants of a miniature's graphs, as the Hub's exports have them: python -m making.families.variants OUT FOLDER

fp16: caches and weights in 16 bits, embeddings and logits in 32. q8: MatMulInteger, activations quantized as they
come. q4: MatMulNBits in blocks of 32, accuracy level 4; the embedding table as GatherBlockQuantized.
"""
import sys

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16

BLOCK = 32


def half(path, out):
    model = onnx.load(path)
    keep = ["inputs_embeds", "logits"]
    onnx.save(convert_float_to_float16(model, keep_io_types=keep), out)


def eight(path, out):
    quantize_dynamic(path, out, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"], extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def four(path, out, kinds, axes):
    config = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, accuracy_level=4,
                                          op_types_to_quantize=kinds, quant_axes=axes)
    quantizer = MatMulNBitsQuantizer(onnx.load(path), algo_config=config)
    quantizer.process()
    quantizer.model.save_model_to_file(out, False)


if __name__ == "__main__":
    out, folder = sys.argv[1:]
    decoder, table = f"{folder}/onnx/decoder_model_merged.onnx", f"{folder}/onnx/embed_tokens.onnx"
    half(decoder, f"{out}/decoder_model_merged_fp16.onnx")
    eight(decoder, f"{out}/decoder_model_merged_q8.onnx")
    four(decoder, f"{out}/decoder_model_merged_q4.onnx", ("MatMul",), (("MatMul", 0),))
    four(table, f"{folder}/onnx/embed_tokens_q4.onnx", ("Gather",), (("Gather", 1),))
