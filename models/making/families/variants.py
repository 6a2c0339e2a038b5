"""Variants of a decoder, as the Hub's exports have them.

fp16: caches and weights in 16 bits; embeddings, logits and the angles of rotation in 32. q8: MatMulInteger,
activations quantized as they come. q4: MatMulNBits in blocks of 32; the embedding table as GatherBlockQuantized.
"""
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16

BLOCK = 32
# How MatMulNBits computes: in 32 bits, or with activations of 8 bits, which rounds sums to ties.
EXACT, FAST = 0, 4


def half(path, out):
    model = onnx.load(path)
    angles = [node.name for node in model.graph.node if "rotary" in node.name]
    made = convert_float_to_float16(model, keep_io_types=["inputs_embeds", "logits"], node_block_list=angles)
    # Two nodes that stay in 32 bits and read the same value get the same cast, twice.
    once = list({node.name: node for node in made.graph.node}.values())
    del made.graph.node[:]
    made.graph.node.extend(once)
    onnx.save(made, out)


def eight(path, out):
    quantize_dynamic(path, out, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"], extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def four(path, out, accuracy, kinds=("MatMul",), axes=(("MatMul", 0),)):
    config = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, accuracy_level=accuracy,
                                          op_types_to_quantize=kinds, quant_axes=axes)
    quantizer = MatMulNBitsQuantizer(onnx.load(path), algo_config=config)
    quantizer.process()
    quantizer.model.save_model_to_file(out, False)


def four_table(path, out):
    four(path, out, FAST, ("Gather",), (("Gather", 1),))
