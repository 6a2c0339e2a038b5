"""Which frames of a video SmolVLM's processor shows, and in which words: python -m making.families.videos OUT.json"""
import json
import random
import sys
from types import SimpleNamespace

import torch
import transformers.models.smolvlm.processing_smolvlm as words
from transformers.models.smolvlm.video_processing_smolvlm import SmolVLMVideoProcessor, get_resize_output_image_size

SAMPLINGS = [dict(num_frames=64, fps=1), dict(num_frames=8, fps=2), dict(num_frames=3, fps=0.5)]


class Metadata(dict):
    __getattr__ = dict.get

    @property
    def timestamps(self):
        return [index / self.fps for index in self.frames_indices]


def plan(count, fps, sampling):
    metadata = Metadata(fps=fps, duration=count / fps, total_num_frames=count)
    indices = SmolVLMVideoProcessor.sample_frames(SimpleNamespace(**sampling), metadata)
    metadata["frames_indices"] = [int(index) for index in indices]
    # Numbers in words are a package's; digits stand for them here.
    words.num2words = str
    marks = SimpleNamespace(image_seq_len=1, image_token="|", fake_image_token="", global_image_token="")
    frames = SimpleNamespace(shape=(1, len(indices)))
    text = words.SmolVLMProcessor.replace_video_token(marks, dict(pixel_values=frames, video_metadata=[metadata]), 0)
    return [count, fps, metadata["frames_indices"], text]


def main(path):
    rng = random.Random(3)
    lengths = [(1, 1), (2, 30), (45, 30), (60, 24), (3600, 1), (5000, 30), (90, 0.5)]
    lengths += [(rng.randint(1, 4000), rng.choice([0.5, 1, 2, 12.5, 24, 25, 29.97, 60])) for _ in range(20)]
    plans = [dict(most=s["num_frames"], perSecond=s["fps"], videos=[plan(*length, s) for length in lengths]) for s in SAMPLINGS]
    sides = [1, 2, 3, 127, 128, 129, 640, 1080]
    sizes = [[w, h, *reversed(get_resize_output_image_size(torch.zeros(1, h, w), 512))] for w in sides for h in sides]
    with open(path, "w") as file:
        json.dump(dict(plans=plans, sizes=sizes), file, separators=(",", ":"))


main(sys.argv[1])
