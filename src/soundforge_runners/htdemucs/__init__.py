"""The hybrid transformer Demucs as an OpenVINO graph of our own, and how a song of any length goes through it.

The network is the one of S. Rouard, F. Massa and A. Défossez, "Hybrid Transformers for Music Source Separation",
ICASSP 2023; its weights are read from the official files by their official names. No torch.

``Architecture``  what a file of weights says of its network
``Network``       the network, compiled: segments in, stems of segments out
``Track``         a song, in the network's rate and channels, whatever its own
``separate``      a track through networks: finished samples, in order
"""

from soundforge_runners._track import Track
from soundforge_runners.htdemucs._architecture import Architecture
from soundforge_runners.htdemucs._network import Network
from soundforge_runners.htdemucs._stream import Plan, separate

__all__ = ["Architecture", "Network", "Plan", "Track", "separate"]
